//! `sslmode` and `sslrootcert`, over servers with and without TLS: what libpq makes of them, and
//! stricter where a URL asks for verification that libpq would silently leave out.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use Verdict::{Encrypted, Plain, Refused};

use super::certificates::{Authority, Shown, self_signed};
use super::cluster::{self, Cluster, ROLE};
use super::guarded::{self, ENCRYPTED, Guarded, NAME, url};
use super::{TestDatabase, impostor, sql};
use crate::support::{Binary, assert_ended};

/// How a session comes about.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    Plain,
    Encrypted,
    /// Not at all, for this cause.
    Refused(&'static str),
}

const UNKNOWN: Verdict = Refused("invalid peer certificate: UnknownIssuer");
const MISNAMED: Verdict = Refused("certificate not valid for name \"other.test\"");
const NO_ROOTS: Verdict = Refused("/.postgresql/root.crt");
const NO_TLS: Verdict = Refused("server does not support TLS");

/// Mode, roots, and the verdicts by a name that the certificate has and by another one.
const WITH_TLS: &[(&str, &str, Verdict, Verdict)] = &[
    ("disable", "", Plain, Plain),
    ("disable", "right", Plain, Plain),
    ("disable", "other", Plain, Plain),
    ("prefer", "", Encrypted, Encrypted),
    ("prefer", "right", Encrypted, Encrypted),
    // libpq gives up TLS here.
    ("prefer", "other", Encrypted, Encrypted),
    ("require", "", Encrypted, Encrypted),
    ("require", "right", Encrypted, Encrypted),
    ("require", "other", UNKNOWN, UNKNOWN),
    // libpq gives up the verification here.
    ("require", "missing", Refused("missing.pem"), Refused("missing.pem")),
    ("verify-ca", "", NO_ROOTS, NO_ROOTS),
    ("verify-ca", "right", Encrypted, Encrypted),
    ("verify-ca", "other", UNKNOWN, UNKNOWN),
    ("verify-ca", "impostor", Refused("BadSignature"), Refused("BadSignature")),
    ("verify-full", "", NO_ROOTS, NO_ROOTS),
    ("verify-full", "right", Encrypted, MISNAMED),
    ("verify-full", "other", UNKNOWN, UNKNOWN),
];

const WITHOUT_TLS: &[(&str, &str, Verdict)] = &[
    ("disable", "", Plain),
    ("disable", "other", Plain),
    ("prefer", "", Plain),
    ("prefer", "other", Plain),
    ("require", "", NO_TLS),
    ("require", "right", NO_TLS),
    ("verify-ca", "", NO_ROOTS),
    ("verify-ca", "right", NO_TLS),
    ("verify-full", "right", NO_TLS),
];

/// A database on a server, and a place to run the program in.
struct Looked<'a> {
    cluster: &'a Cluster,
    guarded: &'a Guarded,
    database: TestDatabase,
    /// The home folder of the user who runs the program.
    home: PathBuf,
}

impl<'a> Looked<'a> {
    fn on(cluster: &'a Cluster, guarded: &'a Guarded) -> Self {
        let database = TestDatabase::on(cluster);
        let looked = Self { cluster, guarded, database, home: guarded.folder.path().to_owned() };
        let url = looked.url(NAME, "sslmode=disable");
        assert_ended(&looked.program("migrate", &url).run(), 0, "applied");
        looked
    }

    fn url(&self, host: &str, parameters: &str) -> String {
        url(self.cluster, ROLE, host, self.database.name(), parameters)
    }

    fn program(&self, command: &str, url: &str) -> Binary {
        let home = self.home.to_str().unwrap();
        Binary::new(self.guarded.folder.path(), &[command, "--database-url", url]).env("HOME", home)
    }

    /// Connects by this name, mode and file of roots.
    #[track_caller]
    fn assert(&self, host: &str, mode: &str, roots: &str, expected: Verdict) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let told = format!("{host} {mode} {roots}");
        let application = format!("look{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut parameters = format!("application_name={application}&sslmode={mode}");
        if !roots.is_empty() {
            let file = self.guarded.folder.path().join(format!("{roots}.pem"));
            parameters += &format!("&sslrootcert={}", file.display());
        }
        let url = self.url(host, &parameters);
        if let Refused(cause) = expected {
            let ended = self.program("migrate", &url).run();
            assert_eq!(ended.code, Some(1), "{told}: {}", ended.stderr);
            assert!(ended.stderr.contains(cause), "{told}: {}", ended.stderr);
            return;
        }
        let _server = self.program("serve", &url).serve();
        let sessions = format!(
            "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
             WHERE application_name = '{application}'"
        );
        let ssl = sql::run(&self.cluster.url_as("postgres", "postgres"), &sessions).unwrap();
        assert_eq!(ssl, [if matches!(expected, Encrypted) { "t" } else { "f" }], "{told}");
    }
}

#[test]
fn a_server_with_tls_is_believed_as_far_as_the_url_says() {
    let guarded = guarded::shared();
    let looked = Looked::on(&guarded.cluster, guarded);
    for (mode, roots, named, misnamed) in WITH_TLS {
        looked.assert(NAME, mode, roots, *named);
        looked.assert("other.test", mode, roots, *misnamed);
    }
}

#[test]
fn a_server_without_tls_serves_only_who_does_not_ask_for_it() {
    let looked = Looked::on(cluster::shared(), guarded::shared());
    for (mode, roots, expected) in WITHOUT_TLS {
        looked.assert(NAME, mode, roots, *expected);
    }
}

#[test]
fn roots_in_the_home_folder_count_where_none_are_named() {
    let guarded = guarded::shared();
    let mut looked = Looked::on(&guarded.cluster, guarded);
    for (roots, expected) in [("right", Encrypted), ("other", UNKNOWN)] {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".postgresql");
        std::fs::create_dir(&folder).unwrap();
        let file = guarded.folder.path().join(format!("{roots}.pem"));
        std::fs::copy(file, folder.join("root.crt")).unwrap();
        looked.home = home.path().to_owned();
        looked.assert(NAME, "prefer", "", Encrypted);
        for mode in ["require", "verify-ca", "verify-full"] {
            looked.assert(NAME, mode, "", expected);
        }
    }
}

#[test]
fn certificates_of_every_kind_are_judged() {
    let guarded = Guarded::start();
    let looked = Looked::on(&guarded.cluster, &guarded);
    let judged = |shown: &Shown, table: &[(&str, &str, &str, Verdict)]| {
        guarded.show(shown);
        for (host, mode, roots, expected) in table {
            looked.assert(host, mode, roots, *expected);
        }
    };
    let expired = Refused("certificate expired");
    judged(
        &guarded.authority.vouched_for(NAME),
        &[
            (NAME, "prefer", "right", Encrypted),
            (NAME, "require", "", Encrypted),
            (NAME, "verify-ca", "right", expired),
            (NAME, "verify-full", "right", expired),
        ],
    );
    judged(
        &guarded.authority.vouches_for(&["127.0.0.1"]),
        &[
            ("127.0.0.1", "verify-full", "right", Encrypted),
            (NAME, "verify-full", "right", Refused("not valid for name \"db.test\"")),
        ],
    );
    let itself = self_signed(&[NAME], true);
    std::fs::write(guarded.folder.path().join("itself.pem"), &itself.certificate).unwrap();
    judged(
        &itself,
        &[
            (NAME, "verify-full", "itself", Encrypted),
            ("other.test", "verify-full", "itself", MISNAMED),
            ("other.test", "verify-ca", "itself", Encrypted),
            (NAME, "verify-ca", "right", Refused("invalid peer certificate")),
            (NAME, "require", "", Encrypted),
        ],
    );
    let over = self_signed(&[NAME], false);
    std::fs::write(guarded.folder.path().join("over.pem"), &over.certificate).unwrap();
    judged(&over, &[(NAME, "verify-ca", "over", expired), (NAME, "require", "", Encrypted)]);
    let old = Refused("UnsupportedCertVersion");
    judged(
        &guarded.authority.vouches_in_version_1(),
        &[
            (NAME, "prefer", "", Encrypted),
            (NAME, "require", "", Encrypted),
            (NAME, "require", "right", old),
            (NAME, "verify-full", "right", old),
        ],
    );
}

#[test]
fn a_role_that_must_use_tls_is_let_in_by_tls_and_its_password_alone() {
    let guarded = guarded::shared();
    let looked = Looked::on(&guarded.cluster, guarded);
    // What is looked for is whether it is let in; its rights end there.
    let let_in = "not migrated";
    let bound = "channel_binding=require";
    let unbound = "server did not use channel binding";
    for (role, parameters, told) in [
        (ENCRYPTED, "", let_in),
        (ENCRYPTED, "sslmode=require&channel_binding=disable", let_in),
        (ENCRYPTED, &format!("sslmode=require&{bound}"), let_in),
        (ENCRYPTED, "sslmode=disable", "no encryption"),
        (ROLE, &format!("sslmode=disable&{bound}"), unbound),
    ] {
        let url = url(&guarded.cluster, role, NAME, "postgres", parameters);
        let ended = looked.program("serve", &url).run();
        assert_ended(&ended, 1, told);
    }
}

#[test]
fn a_certificate_without_its_key_is_refused_in_every_mode() {
    let authority = Authority::new("right");
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("right.pem");
    std::fs::write(&roots, &authority.pem).unwrap();
    let own = authority.vouches_for(&[NAME]);
    let verified = format!("sslmode=verify-full&sslrootcert={}", roots.display());
    for (shown, modes) in [
        (authority.vouches_for(&[NAME]), &["sslmode=prefer", "sslmode=require", &verified][..]),
        (authority.vouches_in_version_1(), &["sslmode=prefer", "sslmode=require"]),
    ] {
        let port = impostor::shows(&shown, &own).port();
        for mode in modes {
            let url = format!("postgres://u:p@{NAME}:{port}/n?hostaddr=127.0.0.1&{mode}");
            let migrate = ["migrate", "--database-url", &url];
            let ended = Binary::new(folder.path(), &migrate).env("HOME", "/nowhere").run();
            assert_ended(&ended, 1, "BadSignature");
        }
    }
}
