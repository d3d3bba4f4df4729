//! Errors of the disk in the middle of groups of changes.

use std::collections::HashSet;
use std::process::Command;

use chrono::{SecondsFormat, TimeDelta};
use futures_util::future::join_all;
use serde_json::json;
use tokenwright::domain::clock::{Clock, SystemClock};

use crate::support::{Binary, Server, administrator, migrated};

/// Creations at once, which are committed in groups.
const AT_ONCE: usize = 32;
/// Far more than the file may hold.
const ROUNDS: usize = 100;

const CREATE: &str = "mutation ($input: CreateApiTokenInput!) {
    createApiToken(input: $input) { token } }";

/// What clients were told of the tokens of these names.
#[derive(Debug, Default)]
struct Told {
    done: HashSet<String>,
    not_done: HashSet<String>,
    unknown: HashSet<String>,
}

impl Told {
    async fn create(&mut self, server: &Server, admin: &str, round: usize) {
        let expiry = SystemClock.now() + TimeDelta::days(30);
        let expiry = expiry.to_rfc3339_opts(SecondsFormat::Secs, true);
        let expiry = &expiry;
        let creations = (0..AT_ONCE).map(async |n| {
            let name = format!("round {round}, {n}");
            let permissions = ["API_USERS_READ"];
            let input = json!({ "name": name, "expiry": expiry, "permissions": permissions });
            (name, server.graphql(admin, CREATE, json!({ "input": input })).await)
        });
        for (name, answer) in join_all(creations).await {
            let told = if answer.json["errors"].is_null() {
                assert!(answer.data()["createApiToken"]["token"].is_string(), "{}", answer.text);
                &mut self.done
            } else if answer.errors() == ["UNAVAILABLE outcome_unknown"] {
                &mut self.unknown
            } else {
                assert_eq!(answer.errors(), ["UNAVAILABLE unavailable"], "{}", answer.text);
                &mut self.not_done
            };
            told.insert(name);
        }
    }

    fn failures(&self) -> usize {
        self.not_done.len() + self.unknown.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_disk_fails_nobody_is_told_of_a_success() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    // A disk that fails at some time, as a bound on the size of files: not SQLITE_FULL, but IOERR.
    let script = "trap '' XFSZ; ulimit -f 1500; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_tokenwright"), "serve", "--database-url"]);
    command.arg(database.url_text());
    let server = Binary::from(command).serve();
    let mut told = Told::default();
    for round in 0..ROUNDS {
        told.create(&server, &admin, round).await;
        if told.failures() > 0 {
            break;
        }
    }
    assert!(!told.done.is_empty() && told.failures() > 0, "{told:?}");
    // Once more, on what is left of the connection.
    told.create(&server, &admin, ROUNDS).await;
    let own = server.graphql(&admin, "{ currentApiToken { name } }", json!({})).await;
    assert_eq!(own.data()["currentApiToken"]["name"], "administrator");
    server.running.signal("KILL");
    server.running.wait();
    let stored: HashSet<String> =
        database.texts("SELECT name AS text FROM api_tokens").into_iter().collect();
    assert!(told.done.is_subset(&stored), "{told:?}");
    assert!(told.not_done.is_disjoint(&stored), "{told:?}");
}
