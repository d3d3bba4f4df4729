//! The bounds that the settings put on sessions hold in the server.

use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta};
use futures_util::future::join_all;
use serde_json::json;
use tokenwright::domain::clock::{Clock, SystemClock};

use super::TestDatabase;
use crate::support::{Answer, Binary, Server, administrator, migrated};

/// Longest wait of a test for something that happens by itself.
const LIMIT: Duration = Duration::from_secs(60);

/// The program on this database, with bounds that nothing reaches but those that a test sets.
fn serve(database: &TestDatabase, settings: &[&str]) -> Server {
    let usual = [
        ("--request-timeout", "2m"),
        ("--database-wait", "2m"),
        ("--database-statement-timeout", "2m"),
        ("--database-idle-transaction-timeout", "2m"),
    ];
    let usual = usual.iter().filter(|(name, _)| !settings.contains(name));
    let usual: Vec<&str> = usual.flat_map(|(name, value)| [*name, *value]).collect();
    Binary::on(database, &["serve"]).args(&usual).args(settings).serve()
}

/// Keeps everybody from reading tokens, until the answer is dropped.
fn lock_tokens(database: &TestDatabase) -> impl Send + use<> {
    super::sql::hold(&database.url_text(), "BEGIN; LOCK TABLE api_tokens IN ACCESS EXCLUSIVE MODE")
}

/// What the sessions of the program do; `Lock` where they wait for one.
fn sessions(database: &TestDatabase) -> Vec<String> {
    database.texts(&format!(
        "SELECT CASE wait_event_type WHEN 'Lock' THEN 'Lock' ELSE state END FROM pg_stat_activity \
         WHERE datname = '{}' AND application_name = 'tokenwright'",
        database.name()
    ))
}

/// Waits until the sessions of the program are like this.
async fn until(database: &TestDatabase, what: &str, are: impl Fn(&[String]) -> bool) {
    let begun = Instant::now();
    loop {
        let now = sessions(database);
        if are(&now) {
            return;
        }
        assert!(begun.elapsed() < LIMIT, "waited in vain until {what}: {now:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn waiting(sessions: &[String]) -> usize {
    sessions.iter().filter(|session| *session == "Lock").count()
}

async fn ask(server: &Server, token: &str) -> Answer {
    server.graphql(token, "{ currentApiToken { name } }", json!({})).await
}

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.errors(), ["UNAVAILABLE unavailable"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_sessions_are_opened_than_the_setting_says() {
    let database = migrated();
    let token = administrator(&database, "caller");
    let server = serve(&database, &["--database-connections", "3"]);
    let locked = lock_tokens(&database);
    let asking = join_all((0..50).map(|_| ask(&server, &token)));
    let watching = async {
        until(&database, "all sessions wait", |sessions| waiting(sessions) == 3).await;
        // The late request may continue now.
        for _ in 0..20 {
            assert_eq!(sessions(&database).len(), 3);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(locked);
    };
    let (answers, ()) = futures_util::join!(asking, watching);
    assert_eq!(answers.len(), 50);
    for answer in answers {
        assert_eq!(answer.data()["currentApiToken"]["name"], "caller");
    }
    assert!(sessions(&database).len() <= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_ends_at_the_statement_timeout() {
    let database = migrated();
    let token = administrator(&database, "caller");
    let server = serve(&database, &["--database-statement-timeout", "1s"]);
    let locked = lock_tokens(&database);
    assert_unavailable(&ask(&server, &token).await);
    server.running.until(|said| said.err().contains("due to statement timeout"));
    drop(locked);
    assert_eq!(ask(&server, &token).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_connection_longer_than_the_setting_says() {
    let database = migrated();
    let token = administrator(&database, "caller");
    let server = serve(&database, &["--database-connections", "1", "--database-wait", "1s"]);
    let locked = lock_tokens(&database);
    let first = ask(&server, &token);
    let second = async {
        until(&database, "the only session waits", |sessions| waiting(sessions) == 1).await;
        let refused = ask(&server, &token).await;
        drop(locked);
        refused
    };
    let (first, second) = futures_util::join!(first, second);
    assert_unavailable(&second);
    assert_eq!(first.data()["currentApiToken"]["name"], "caller");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_program_stands_still_ends_at_the_idle_timeout() {
    let database = migrated();
    let token = administrator(&database, "caller");
    let server = serve(&database, &["--database-idle-transaction-timeout", "1s"]);
    let locked = database.write_lock();
    let document =
        "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }";
    let expiry =
        (SystemClock.now() + TimeDelta::days(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let input = json!({ "name": "never", "expiry": expiry, "permissions": ["API_USERS_READ"] });
    let creating = server.graphql(&token, document, json!({ "input": input }));
    let standing_still = async {
        until(&database, "the insertion waits", |sessions| waiting(sessions) == 1).await;
        server.running.signal("STOP");
        drop(locked);
        until(&database, "the server ends the session", |sessions| {
            sessions.iter().all(|session| session == "idle")
        })
        .await;
        server.running.signal("CONT");
    };
    let (answer, ()) = futures_util::join!(creating, standing_still);
    assert_eq!(answer.errors()[0].split(' ').next(), Some("UNAVAILABLE"), "{}", answer.text);
    assert!(database.texts("SELECT name FROM api_tokens WHERE name = 'never'").is_empty());
    assert_eq!(ask(&server, &token).await.status, 200);
}
