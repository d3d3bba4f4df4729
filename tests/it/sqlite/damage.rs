//! A file that is damaged: whatever cannot be read any more is refused, and the rest is served.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde_json::json;

use crate::TestDatabase;
use crate::support::{Binary, Server, administrator, assert_ended, migrated};

const PAGE: u64 = 4096;

/// Where the root page of a table or an index begins in the file.
fn root(database: &TestDatabase, name: &str) -> u64 {
    let number = database.texts(&format!(
        "SELECT CAST(rootpage AS TEXT) AS text FROM sqlite_schema WHERE name = '{name}'"
    ));
    (number[0].parse::<u64>().unwrap() - 1) * PAGE
}

fn damage(path: &Path, at: u64, length: usize) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&vec![0xa5; length], at).unwrap();
}

async fn status(server: &Server, token: &str) -> u16 {
    server.graphql(token, "{ currentApiToken { name } }", json!({})).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_page_refuses_every_token_and_never_ends_the_server() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let file = database.folder().join("test.db");
    let whole = {
        // Everything is in the file itself once the last connection is closed.
        assert_ended(&Binary::on(&database, &["serve"]).serve().stop(), 0, "shutting down");
        std::fs::read(&file).unwrap()
    };
    for table in ["api_tokens", "users", "sqlite_autoindex_api_tokens_1"] {
        std::fs::write(&file, &whole).unwrap();
        let server = Binary::on(&database, &["serve"]).serve();
        assert_eq!(status(&server, &admin).await, 200);
        assert_ended(&server.stop(), 0, "shutting down");
        damage(&file, root(&database, table), 4096);
        let started = Binary::on(&database, &["serve", "--listen", "127.0.0.1:0"]).start();
        let said = started
            .until(|said| said.err().contains("listening on") || said.err().contains("malformed"));
        // Either it does not start, or it refuses.
        if said.err().contains("listening on") {
            let address = said.err().split_once("listening on http://").unwrap().1.to_owned();
            let address = address.lines().next().unwrap().to_owned();
            let asked = reqwest::Client::new()
                .get(format!("http://{address}/authorize?permission=api.users.read"))
                .bearer_auth(&admin)
                .send()
                .await
                .unwrap();
            assert_eq!(asked.status(), 503, "{table}");
            let alive = reqwest::get(format!("http://{address}/livez")).await.unwrap();
            assert_eq!(alive.status(), 200, "{table}");
            started.until(|said| said.err().contains("malformed"));
            started.signal("TERM");
            assert_ended(&started.wait(), 0, "shutting down");
        } else {
            let ended = started.wait();
            assert_eq!(ended.code, Some(1), "{table}");
        }
    }
}
