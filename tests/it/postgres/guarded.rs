//! A server that asks for passwords and speaks TLS.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::certificates::{Authority, Shown};
use super::cluster::{Cluster, PASSWORD};
use super::sql;

/// The name in the certificate. It is never looked up: URLs also give the address.
pub const NAME: &str = "db.test";
/// A role that is let in by TLS alone.
pub const ENCRYPTED: &str = "encrypted";

const WHO_IS_LET_IN: &str = "host all postgres 127.0.0.1/32 trust\n\
                             hostssl all encrypted 127.0.0.1/32 scram-sha-256\n\
                             hostnossl all encrypted 127.0.0.1/32 reject\n\
                             host all all 127.0.0.1/32 scram-sha-256\n";

/// The server, with what vouches for it.
pub struct Guarded {
    pub cluster: Cluster,
    pub authority: Authority,
    /// Has `right.pem`, which vouches for the server, and two that do not: `other.pem`, and
    /// `impostor.pem` with the name of the right one.
    pub folder: TempDir,
}

/// The one that most tests share. It shows a certificate for [`NAME`].
pub fn shared() -> &'static Guarded {
    static SHARED: OnceLock<Guarded> = OnceLock::new();
    SHARED.get_or_init(|| {
        let guarded = Guarded::start();
        guarded.show(&guarded.authority.vouches_for(&[NAME]));
        guarded
    })
}

impl Guarded {
    /// A server that has nothing to show yet.
    pub fn start() -> Self {
        let cluster = Cluster::start(&[]);
        std::fs::write(cluster.data().join("pg_hba.conf"), WHO_IS_LET_IN).unwrap();
        let role = format!("CREATE ROLE {ENCRYPTED} LOGIN PASSWORD '{PASSWORD}'");
        sql::run(&cluster.url_as("postgres", "postgres"), &role).unwrap();
        let authority = Authority::new("right");
        let folder = tempfile::tempdir().unwrap();
        for (name, pem) in [
            ("right.pem", &authority.pem),
            ("other.pem", &Authority::new("other").pem),
            ("impostor.pem", &Authority::new("right").pem),
        ] {
            std::fs::write(folder.path().join(name), pem).unwrap();
        }
        Self { cluster, authority, folder }
    }

    /// Shows this certificate from now on.
    pub fn show(&self, shown: &Shown) {
        let data = self.cluster.data();
        let owner = std::fs::metadata(&data).unwrap();
        for (name, text) in [("server.crt", &shown.certificate), ("server.key", &shown.key)] {
            let path = data.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        self.cluster.configure(&["ssl=on"]);
        self.cluster.program("pg_ctl", &["stop", "--wait", "--silent", "--mode=fast"]);
        self.cluster.run();
    }
}

/// The URL of a database, by a name of the server that is not looked up.
pub fn url(cluster: &Cluster, role: &str, host: &str, database: &str, parameters: &str) -> String {
    let port = cluster.port();
    format!("postgres://{role}:{PASSWORD}@{host}:{port}/{database}?hostaddr=127.0.0.1&{parameters}")
}
