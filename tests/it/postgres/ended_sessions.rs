//! Sessions that somebody else ends: an administrator, or a server that is started again.

use futures_util::join;
use tokenwright::db::PoolSettings;

use crate::suite::metrics::scrape;
use crate::support::{Options, TestApp, eventually};

/// Has the sessions of the application ended, and waits for so many milliseconds until they are.
fn end_sessions(app: &TestApp, wait: u32) {
    app.database.execute(&format!(
        "SELECT pg_terminate_backend(pid, {wait}) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'tokenwright'"
    ));
}

/// Too few connections for lanes, and enough.
const CONNECTIONS: [usize; 2] = [4, 8];

async fn started(connections: usize) -> TestApp {
    let pool = PoolSettings { connections, ..Options::default().pool };
    TestApp::with(Options { pool, metrics: true, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_under_a_read_refuses_nobody() {
    for connections in CONNECTIONS {
        ended_under_a_read(connections).await;
    }
}

async fn ended_under_a_read(connections: usize) {
    let app = started(connections).await;
    for round in 0..3 {
        let lock = app.database.read_lock();
        let reading = app.query(&app.admin, "{ currentApiToken { name } }");
        let ending = async {
            eventually("the read waits", || app.database.waiting() == 1).await;
            end_sessions(&app, 10_000);
            drop(lock);
        };
        let (answer, ()) = join!(reading, ending);
        assert_eq!(answer.data()["currentApiToken"]["name"], "administrator", "round {round}");
    }
    let numbers = scrape(&app).await;
    let again = |line: &str| {
        let number = line.strip_prefix("tokenwright_retries_total{operation=\"read\"} ")?;
        number.parse::<u32>().ok()
    };
    // A lane that was ended in the round before may be found first.
    let most = if connections == 4 { 3 } else { 6 };
    let again = numbers.lines().find_map(again);
    assert!(again.is_some_and(|again| (3..=most).contains(&again)), "{numbers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_before_a_read_refuses_nobody() {
    for connections in CONNECTIONS {
        ended_before_a_read(&started(connections).await).await;
    }
}

async fn ended_before_a_read(app: &TestApp) {
    for _ in 0..20 {
        end_sessions(app, 0);
        let answer = app.query(&app.admin, "{ currentApiToken { name } }").await;
        assert_eq!(answer.data()["currentApiToken"]["name"], "administrator");
    }
}
