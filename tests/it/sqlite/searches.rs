//! Searches that find nothing for a long time.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokenwright::db::PoolSettings;

use crate::support::{Options, TestApp};

/// Events of which each one is computed, and none found.
const ENDLESS: &str = "DROP TABLE audit_events; \
    CREATE VIEW audit_events AS \
    WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 10000000) \
    SELECT n AS id, n AS date, 'api_token_created' AS action, n AS actor_user_id, \
    '' AS actor_user_name, NULL AS actor_api_token_id, NULL AS client_address, \
    NULL AS request_id, n AS target_id, '[]' AS changes FROM s WHERE n < 0";

#[tokio::test(flavor = "multi_thread")]
async fn searches_hold_up_nothing_but_searches() {
    let usual = Options::default();
    let pool = PoolSettings { connections: 2, wait: Duration::from_millis(300), ..usual.pool };
    let app = TestApp::with(Options { pool, ..usual }).await;
    app.database.execute(ENDLESS);
    let search = || app.query(&app.admin, "{ auditEvents { nodes { id } } }");
    let mut searches: FuturesUnordered<_> = (0..6).map(|_| search()).collect();
    // There are no more connections for searches than are in use.
    let first = searches.next().await.unwrap();
    assert_eq!(first.errors(), ["UNAVAILABLE"]);
    let read = app.query(&app.admin, "{ currentUser { name } }").await;
    assert_eq!(read.data()["currentUser"]["name"], "administrator");
    while searches.next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_takes_too_long_is_ended_and_says_so() {
    let usual = Options::default();
    let pool = PoolSettings { statement_timeout: Duration::from_millis(1), ..usual.pool };
    let app = TestApp::with(Options { pool, ..usual }).await;
    app.database.fill(100_000);
    for list in [
        "apiTokens(filter: { nameContains: \"zz\" }) { nodes { id } }",
        "apiTokens(filter: { nameContains: \"zz\" }) { totalCount }",
        "apiTokens(filter: { permissions: [API_API_TOKENS_WRITE, API_USERS_WRITE] }) { totalCount }",
        "users(filter: { nameContains: \"zz\" }) { nodes { id } }",
        "users(filter: { nameContains: \"zz\" }) { totalCount }",
        "auditEvents { totalCount }",
    ] {
        let answer = app.query(&app.admin, &format!("{{ {list} }}")).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT query_limit"], "{list}: {}", answer.text);
        assert!(answer.text.contains("narrow"), "{}", answer.text);
        assert_eq!(answer.status, 200);
    }
    // The connections are as good as before.
    for _ in 0..4 {
        let answer = app.query(&app.admin, "{ apiTokens(first: 2) { nodes { id } } }").await;
        assert_eq!(answer.data()["apiTokens"]["nodes"].as_array().unwrap().len(), 2);
    }
}
