//! Several that look, one after the other, at once, or killed in between.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use futures_util::future::join;
use serde_json::json;
use tokenwright::domain::clock::{Clock, SystemClock};
use tokenwright::metrics::Duty;

use super::super::clocks::another;
use super::{DAY, ending, start, times, told, usual};
use crate::support::{Binary, ManualClock, TestApp, TestDatabase, TokenRow, eventually, migrated};

/// Tokens that all end at the same instant.
fn fill(database: &TestDatabase, count: u128, expiry: i64) {
    let row = |number| TokenRow { expiry, ..TokenRow::new(number, format!("row {number}")) };
    let rows: Vec<TokenRow> = (1..=count).map(row).collect();
    for rows in rows.chunks(1_000) {
        TokenRow::insert(rows, database);
    }
}

/// The tokens of the events with an action, one for each event.
fn targets(database: &TestDatabase, action: &str) -> Vec<String> {
    database.texts(&format!(
        "SELECT CAST(target_id AS TEXT) AS text FROM audit_events WHERE action = '{action}'"
    ))
}

/// There are so many notices, each with its event, and no token has two.
fn assert_each_once(database: &TestDatabase, action: &str, count: usize) {
    let targets = targets(database, action);
    assert_eq!(targets.len(), count);
    assert_eq!(targets.iter().collect::<BTreeSet<_>>().len(), count);
    assert_eq!(database.count("expiry_notices"), i64::try_from(count).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_look_at_once_tell_each_end_once() {
    const TOKENS: usize = 1_000;
    let app = start().await;
    fill(&app.database, TOKENS as u128, (app.clock.now() + DAY * 5).timestamp_micros());
    let other = another(&app, Arc::new(ManualClock::default())).await;
    let times = usual();
    join(app.service.notice_expiries(&times), other.notice_expiries(&times)).await;
    assert_each_once(&app.database, "api_token_expiring", TOKENS);
    assert_eq!(app.service.metrics().duty_failures.get(Duty::ExpiryNotices), 0);
    assert_eq!(other.metrics().duty_failures.get(Duty::ExpiryNotices), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_start_goes_on_where_the_last_one_ended() {
    let app = start().await;
    let token = ending(&app, "ci", DAY * 6).await;
    app.service.notice_expiries(&usual()).await;
    for _ in 0..2 {
        let again = another(&app, Arc::new(ManualClock::default())).await;
        again.notice_expiries(&usual()).await;
    }
    assert_eq!(told(&app, &token.id).await, ["7 days"]);
    // Other settings: what is nearer is told, what is farther is no news.
    let again = another(&app, Arc::new(ManualClock::default())).await;
    again.notice_expiries(&times(&["20d", "10d"])).await;
    assert_eq!(told(&app, &token.id).await, ["7 days"]);
    again.notice_expiries(&times(&["20d", "150h"])).await;
    assert_eq!(told(&app, &token.id).await, ["7 days", "6days 6h"]);
}

/// Ten thousand at once: in steps, between which others write.
#[tokio::test(flavor = "multi_thread")]
async fn many_that_end_at_once_stop_nobody() {
    const TOKENS: usize = 10_000;
    let app = start().await;
    let times = times(&["0s"]);
    app.service.notice_expiries(&times).await;
    fill(&app.database, TOKENS as u128, (app.clock.now() + DAY).timestamp_micros());
    app.clock.advance(DAY + TimeDelta::minutes(1));
    let done = AtomicBool::new(false);
    let looking = async {
        app.service.notice_expiries(&times).await;
        done.store(true, Ordering::Relaxed);
    };
    let working = async {
        let mut made = 0;
        while !done.load(Ordering::Relaxed) {
            let input = app.input(&format!("meanwhile {made}"), json!({}));
            app.create(&app.admin, input).await.data();
            made += 1;
        }
        made
    };
    let ((), made) = join(looking, working).await;
    assert!(made > 10, "{made}");
    assert_each_once(&app.database, "api_token_expired", TOKENS);
    app.service.notice_expiries(&times).await;
    assert_each_once(&app.database, "api_token_expired", TOKENS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_is_killed_is_done_by_the_next_start() {
    const TOKENS: usize = 3_000;
    let database = migrated();
    fill(&database, TOKENS as u128, (SystemClock.now() + DAY * 5).timestamp_micros());
    let serve = || Binary::on(&database, &["serve", "--expiry-notices", "7d,0s"]);
    let server = serve().serve();
    eventually("it has begun", || database.count("expiry_notices") > 0).await;
    server.running.signal("KILL");
    let ended = server.running.wait();
    assert_eq!(ended.code, None);
    let made = usize::try_from(database.count("expiry_notices")).unwrap();
    assert!(made < TOKENS, "it was killed too late");
    assert_each_once(&database, "api_token_expiring", made);
    let _again = serve().serve();
    eventually("it is done", || database.count("expiry_looks") == 2).await;
    assert_each_once(&database, "api_token_expiring", TOKENS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_fails_is_counted_and_done_again() {
    let app: TestApp = start().await;
    let token = ending(&app, "ci", DAY * 5).await;
    app.database.execute("ALTER TABLE expiry_notices RENAME TO gone");
    app.service.notice_expiries(&usual()).await;
    app.database.execute("ALTER TABLE gone RENAME TO expiry_notices");
    assert_eq!(app.service.metrics().duty_failures.get(Duty::ExpiryNotices), 1);
    assert_eq!(told(&app, &token.id).await, [""; 0]);
    app.database.refuse_inserts("audit_events", "no events");
    app.service.notice_expiries(&usual()).await;
    assert_eq!(app.database.count("expiry_notices"), 0, "no notice without its event");
    assert_eq!(app.service.metrics().duty_failures.get(Duty::ExpiryNotices), 2);
}
