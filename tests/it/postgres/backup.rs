//! The drill of docs/postgresql.md: `pg_dump` while a server writes, and back.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokenwright::domain::clock::{Clock, SystemClock};

use super::cluster::programs;
use crate::support::{Binary, TestDatabase, administrator, assert_ended, eventually, migrated};

const CREATE: &str = "mutation ($input: CreateApiTokenInput!) \
                      { createApiToken(input: $input) { token } }";

fn run(program: &str, arguments: &[&str]) {
    let ended = Command::new(programs().join(program)).args(arguments).output().unwrap();
    assert!(ended.status.success(), "{program}: {}", String::from_utf8_lossy(&ended.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_token_of_before_a_dump_is_there() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let server = Binary::on(&database, &["serve"]).serve();
    let acknowledged: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let writer = tokio::spawn({
        let acknowledged = Arc::clone(&acknowledged);
        async move {
            for number in 0.. {
                let name = format!("number {number}");
                let input = json!({
                    "name": name,
                    "expiry": (SystemClock.now() + chrono::TimeDelta::days(30)).to_rfc3339(),
                    "permissions": ["API_ORGANIZATIONS_READ"],
                });
                let answer = server.graphql(&admin, CREATE, json!({ "input": input })).await;
                let secret = answer.data()["createApiToken"]["token"].as_str().unwrap().to_owned();
                acknowledged.lock().unwrap().insert(name, secret);
            }
        }
    });
    let count = || acknowledged.lock().unwrap().len();
    eventually("some are written", || count() >= 20).await;
    let before = acknowledged.lock().unwrap().clone();
    let dump = database.folder().join("dump");
    let dump = dump.to_str().unwrap();
    let (file, from) = (format!("--file={dump}"), database.url_text());
    tokio::task::block_in_place(|| run("pg_dump", &["--format=custom", &file, &from]));
    eventually("the server goes on writing", || count() > before.len()).await;
    writer.abort();

    let restored = TestDatabase::new();
    let to = format!("--dbname={}", restored.url_text());
    tokio::task::block_in_place(|| {
        run("pg_restore", &["--exit-on-error", "--no-owner", &to, dump]);
        assert_ended(&Binary::on(&restored, &["migrate"]).run(), 0, "is up to date");
    });
    let server = Binary::on(&restored, &["serve"]).serve();
    for (name, secret) in before {
        let answer = server.graphql(&secret, "{ currentApiToken { name } }", json!({})).await;
        assert_eq!(answer.data()["currentApiToken"]["name"], *name);
    }
}
