//! Many attempts at once: a queue with an end, and no way for one caller to fill it.

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use reqwest::StatusCode;
use serde_json::json;

use super::{assert_invalid, assert_unavailable, status, unknown, used, who, wrong};
use crate::support::{Options, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_with_a_new_token_is_let_in_whole() {
    let app = TestApp::start().await;
    let secret = app.secret(&app.admin, app.input("ci", json!({}))).await;
    let burst = (0..40).map(|_| status(&app, &secret));
    let statuses = join_all(burst).await;
    assert_eq!(statuses, vec![StatusCode::OK; 40]);
}

/// Sends many wrong secrets at once; how many are refused, and how many find the queue full. What is to
/// hold at the first of these is asserted by `when_full`.
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
async fn a_flood_of_unknown_tokens_keeps_nobody_out_who_is_known() {
    let costly = Options { bcrypt_cost: 7, ..Options::default() };
    let app = TestApp::with(costly).await;
    assert_eq!(status(&app, &app.admin).await, 200);
    let attempts: Vec<String> = (0..256).map(|_| format!("Bearer {}", unknown(&app))).collect();
    let (refused, busy) = flood(&app, &attempts, async || {
        // The queue is full at this moment.
        assert_eq!(status(&app, &app.admin).await, 200);
    })
    .await;
    assert!(refused > 0);
    assert!(busy > 0, "the queue has an end");
    used(&app, "new").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_secrets_of_one_token_take_few_places_of_the_queue() {
    let costly = Options { bcrypt_cost: 8, ..Options::default() };
    let app = TestApp::with(costly).await;
    let fresh = app.secret(&app.admin, app.input("fresh", json!({}))).await;
    let forged: Vec<String> = (0..200).map(|_| format!("Bearer {}", wrong(&app.admin))).collect();
    let (refused, busy) = flood(&app, &forged, async || {
        // Another token is proven for the first time, and one is made.
        assert_eq!(status(&app, &fresh).await, 200);
        used(&app, "made meanwhile").await;
    })
    .await;
    assert!(refused > 0);
    assert!(busy > 100, "{busy}");
}
