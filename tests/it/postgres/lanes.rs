//! Each thread that serves requests has a connection for itself, where there are enough: its reads go
//! there one after the other.

use futures_util::future::join_all;
use futures_util::join;
use tokenwright::db::PoolSettings;

use super::lending::ask;
use crate::suite::metrics::scrape;
use crate::support::{Options, TestApp, eventually};

/// Enough for lanes.
const CONNECTIONS: usize = 8;
/// As many as the tests have threads that serve requests.
const LANES: usize = 2;
/// Requests at once, on connections of their own.
const AT_ONCE: usize = 24;

async fn started(connections: usize) -> TestApp {
    let pool = PoolSettings { connections, ..Options::default().pool };
    let app = TestApp::with(Options { pool, metrics: true, ..Options::default() }).await;
    // Whoever finds no lane has one made, and asks elsewhere.
    for _ in 0..AT_ONCE {
        let client = reqwest::Client::new();
        assert_eq!(ask(&client, app.address, &app.admin).await.status, 200);
    }
    app
}

/// Sends many reads at once, which wait for a table until this is done.
async fn while_many_read(app: &TestApp, meanwhile: impl AsyncFnOnce()) {
    let lock = app.database.read_lock();
    let clients: Vec<reqwest::Client> = (0..AT_ONCE).map(|_| reqwest::Client::new()).collect();
    let asking = join_all(clients.iter().map(|client| ask(client, app.address, &app.admin)));
    let meanwhile = async {
        meanwhile().await;
        drop(lock);
    };
    let (answers, ()) = join!(asking, meanwhile);
    for answer in answers {
        assert_eq!(answer.data()["currentApiToken"]["name"], "administrator");
    }
}

fn has_so_many(numbers: &str) -> bool {
    let open = numbers.lines().find_map(|line| line.strip_prefix("tokenwright_connections_open "));
    open.is_some_and(|open| open.parse::<f64>().unwrap() >= AT_ONCE as f64)
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_of_a_thread_share_its_connection() {
    let app = started(CONNECTIONS).await;
    while_many_read(&app, async || {
        while !has_so_many(&scrape(&app).await) {
            tokio::task::yield_now().await;
        }
        eventually("both lanes wait", || app.database.waiting() >= LANES).await;
    })
    .await;
    // Reads that went to the pool would have had all of it opened.
    let sessions = app.database.sessions();
    assert!(sessions.len() < CONNECTIONS, "{sessions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_too_few_would_be_left_there_are_no_lanes() {
    let app = started(7).await;
    while_many_read(&app, async || {
        eventually("each waits", || app.database.waiting() == 7).await;
    })
    .await;
}
