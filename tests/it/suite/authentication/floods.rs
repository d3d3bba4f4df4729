//! Many attempts at once: a queue with an end, and no way for one caller to fill it.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use reqwest::StatusCode;
use serde_json::json;
use tokenwright::db::PoolSettings;

use super::{assert_invalid, assert_unavailable, status, unknown, used, who, wrong};
use crate::support::{Log, Options, TestApp, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_with_a_new_token_is_let_in_whole() {
    let app = TestApp::start().await;
    let secret = app.secret(&app.admin, app.input("ci", json!({}))).await;
    let burst = (0..40).map(|_| status(&app, &secret));
    let statuses = join_all(burst).await;
    assert_eq!(statuses, vec![StatusCode::OK; 40]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_creations_succeeds_whole() {
    // What it says of a request that fails is told with the failure.
    Log::start();
    // However slow the machine is.
    let long = Duration::from_secs(60);
    let connections = Options::default().pool.connections;
    let pool = PoolSettings {
        connections,
        wait: long,
        statement_timeout: long,
        idle_transaction_timeout: long,
    };
    let app = TestApp::with(Options { pool, request_timeout: long, ..Options::default() }).await;
    let burst = (0..500).map(|n| {
        let input = app.input(&format!("of the burst {n}"), json!({}));
        app.secret(&app.admin, input)
    });
    let secrets = join_all(burst).await;
    for secret in secrets.iter().step_by(50) {
        assert_eq!(status(&app, secret).await, StatusCode::OK);
    }
}

/// Sends many wrong secrets at once; how many are refused, and how many find the queue full. What
/// is to hold at the first of these is asserted by `when_full`.
async fn flood(app: &TestApp, attempts: &[String], when_full: impl AsyncFn()) -> (usize, usize) {
    let attempt = async |line: &String| who(app, &[line]).await;
    let mut flood: FuturesUnordered<_> = attempts.iter().map(attempt).collect();
    let (mut refused, mut busy) = (0, 0);
    while let Some(answer) = flood.next().await {
        if answer.status == 401 {
            assert_invalid(&answer);
            refused += 1;
            continue;
        }
        assert_unavailable(&answer);
        if busy == 0 {
            when_full().await;
        }
        busy += 1;
    }
    (refused, busy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_wrong_secrets_is_refused_before_bcrypt() {
    let costly = Options { bcrypt_cost: 8, ..Options::default() };
    let app = TestApp::with(costly).await;
    let fresh = app.secret(&app.admin, app.input("fresh", json!({}))).await;
    eventually("the administrator is checked", || app.service.bcrypt_runs() == 1).await;
    // Of no token, of one that is used and of one that is not yet.
    let attempts = (0..100).flat_map(|_| [unknown(&app), wrong(&app.admin), wrong(&fresh)]);
    let attempts: Vec<String> = attempts.map(|secret| format!("Bearer {secret}")).collect();
    let flood = flood(&app, &attempts, async || {});
    let first_use = async { assert_eq!(status(&app, &fresh).await, 200) };
    let ((refused, busy), ()) = tokio::join!(flood, first_use);
    assert_eq!((refused, busy), (300, 0));
    eventually("the genuine one is checked", || app.service.bcrypt_runs() > 1).await;
    assert_eq!(app.service.bcrypt_runs(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_secrets_of_untagged_tokens_delay_no_tagged_one() {
    let costly = Options { bcrypt_cost: 8, ..Options::default() };
    let app = TestApp::with(costly).await;
    let fresh = app.secret(&app.admin, app.input("fresh", json!({}))).await;
    let untagged = app.secret(&app.admin, app.input("untagged", json!({}))).await;
    app.database.execute("UPDATE api_tokens SET secret_tag = NULL WHERE name = 'untagged'");
    let forged: Vec<String> = (0..200).map(|_| format!("Bearer {}", wrong(&untagged))).collect();
    let (refused, busy) = flood(&app, &forged, async || {
        // The token's places are taken: another one is used for the first time, and one is made.
        assert_eq!(status(&app, &fresh).await, 200);
        used(&app, "made meanwhile").await;
    })
    .await;
    assert!(refused > 0);
    assert!(busy > 100, "{busy}");
    assert_eq!(status(&app, &untagged).await, 200);
}
