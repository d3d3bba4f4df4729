//! Long searches, and other requests at the same time.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokenwright::db::PoolSettings;

use crate::TestDatabase;
use crate::support::{Options, TestApp, eventually, made};

/// Keeps everybody from reading events, until the answer is dropped.
fn lock_events(database: &TestDatabase) -> impl Send + use<> {
    super::sql::hold(
        &database.url_text(),
        "BEGIN; LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE",
    )
}

async fn with_connections(connections: usize) -> TestApp {
    let wait = Duration::from_secs(30);
    let pool =
        PoolSettings { connections, wait, statement_timeout: wait, ..Options::default().pool };
    let request_timeout = Duration::from_mins(2);
    TestApp::with(Options { pool, request_timeout, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_leave_connections_for_authentication_and_changes() {
    // Two of them are lanes.
    let app = with_connections(10).await;
    let other = made(&app, "other", json!({ "permissions": ["API_USERS_READ"] })).await;
    let events = lock_events(&app.database);
    let search = "{ auditEvents { totalCount nodes { id } } }";
    let searching = join_all((0..30).map(|_| app.query(&app.admin, search)));
    let beside = async {
        eventually("the searches wait", || app.database.waiting() == 2).await;
        for _ in 0..20 {
            let own = app.query(&other.secret, "{ currentApiToken { name } }").await;
            assert_eq!(own.data()["currentApiToken"]["name"], "other");
            assert_eq!(app.database.waiting(), 2);
        }
        // Changes have connections of their own, and these wait for the same table.
        let input = |n: usize| app.input(&format!("beside {n}"), json!({}));
        let creating = join_all((0..8).map(|n| app.create(&app.admin, input(n))));
        let still = async {
            eventually("the changes wait", || app.database.waiting() == 7).await;
            let own = app.query(&other.secret, "{ currentApiToken { name } }").await;
            assert_eq!(own.data()["currentApiToken"]["name"], "other");
            drop(events);
        };
        futures_util::join!(creating, still).0
    };
    let (searches, created) = futures_util::join!(searching, beside);
    for answer in created {
        assert!(answer.data()["createApiToken"]["token"].is_string(), "{}", answer.text);
    }
    for answer in searches {
        assert!(answer.data()["auditEvents"]["totalCount"].as_i64() >= Some(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_of_one_request_are_read_one_after_the_other() {
    let app = with_connections(20).await;
    let events = lock_events(&app.database);
    let lists: Vec<String> =
        (0..10).map(|n| format!("list{n}: auditEvents {{ nodes {{ id }} }}")).collect();
    let document = format!("{{ {} }}", lists.join(" "));
    let asking = app.query(&app.admin, &document);
    let watching = async {
        eventually("a search waits", || app.database.waiting() == 1).await;
        for _ in 0..20 {
            assert_eq!(app.database.waiting(), 1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(events);
    };
    let (answer, ()) = futures_util::join!(asking, watching);
    assert_eq!(answer.data().as_object().unwrap().len(), 10);
}

/// Events of which each one takes its time.
const SLOW: &str = "ALTER TABLE audit_events RENAME TO stored_events; \
    CREATE VIEW audit_events AS SELECT stored_events.* FROM stored_events, pg_sleep(60)";

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_takes_too_long_is_ended_and_says_so() {
    let usual = Options::default();
    let pool = PoolSettings { statement_timeout: Duration::from_secs(1), ..usual.pool };
    let app = TestApp::with(Options { pool, ..usual }).await;
    app.database.execute(SLOW);
    for list in ["auditEvents { nodes { id } }", "auditEvents { totalCount }"] {
        let answer = app.query(&app.admin, &format!("{{ {list} }}")).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT query_limit"], "{}", answer.text);
        assert_eq!(answer.status, 200);
    }
    let own = app.query(&app.admin, "{ currentApiToken { name } }").await;
    assert_eq!(own.data()["currentApiToken"]["name"], "administrator");
}
