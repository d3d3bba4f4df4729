//! The name of the database's host, which may stop to resolve under a running server.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use crate::support::{Answer, Binary, Server, TestDatabase, administrator, eventually, migrated};

/// Longest wait for a server that can reach its database again.
const PATIENCE: Duration = Duration::from_secs(30);
const NAME: &str = "database.test";
/// A resolver that nobody runs: what is asked there is refused at once.
const RESOLVER: &str = "127.9.9.9";

/// What the server resolves names with: files of its own in the place of those of the system.
struct Names {
    hosts: PathBuf,
    resolver: PathBuf,
}

impl Names {
    fn of(folder: &Path) -> Self {
        let (hosts, resolver) = (folder.join("hosts"), folder.join("resolv.conf"));
        std::fs::write(&resolver, format!("nameserver {RESOLVER}\n")).unwrap();
        let names = Self { hosts, resolver };
        names.resolve(true);
        names
    }

    /// The file stays the same one, as it is bound.
    fn resolve(&self, resolve: bool) {
        let name = if resolve { NAME } else { "another.test" };
        std::fs::write(&self.hosts, format!("127.0.0.1 localhost {name}\n")).unwrap();
    }

    fn serve(&self, database: &TestDatabase) -> Server {
        let mut command = Command::new("bwrap");
        command.args(["--bind", "/", "/", "--dev", "/dev", "--die-with-parent"]);
        command.arg("--bind").arg(&self.hosts).arg("/etc/hosts");
        command.arg("--bind").arg(&self.resolver).arg("/etc/resolv.conf");
        let url = database.url_text().replace("127.0.0.1", NAME);
        command.args([env!("CARGO_BIN_EXE_tokenwright"), "serve", "--database-url", &url]);
        Binary::from(command).args(&["--database-wait", "300ms"]).serve()
    }
}

async fn own(server: &Server, token: &str) -> Answer {
    server.graphql(token, "{ currentApiToken { name } }", json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_no_longer_resolves_is_an_outage_like_any_other() {
    let database = migrated();
    let token = administrator(&database, "administrator");
    let names = Names::of(database.folder());
    let server = names.serve(&database);
    assert_eq!(own(&server, &token).await.status, 200);
    for is_silent in [false, true] {
        // The port is for root alone; for others, both rounds are the same.
        let _silent = is_silent.then(|| UdpSocket::bind((RESOLVER, 53)));
        names.resolve(false);
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'tokenwright'",
        );
        eventually("the sessions end", || database.sessions().is_empty()).await;
        for answer in join_all((0..20).map(|_| own(&server, &token))).await {
            assert_eq!(answer.status, 503, "{}", answer.text);
            assert_eq!(answer.errors(), ["UNAVAILABLE unavailable"]);
            assert_eq!(answer.json["errors"][0]["extensions"]["retryAfter"], 1);
        }
        assert_eq!(server.get("/readyz").await.status, 503);
        assert_eq!(server.get("/livez").await.status, 200);
        names.resolve(true);
        let back = async {
            while own(&server, &token).await.status != 200 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, back).await.unwrap();
        assert_eq!(server.get("/readyz").await.status, 200);
    }
}
