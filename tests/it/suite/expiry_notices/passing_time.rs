//! What comes because time passes, in small and in large steps, and against a clock that goes back.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;
use tokenwright::domain::clock::Clock;

use super::super::clocks::another;
use super::{DAY, change, ending, events, fact, look, start, told, usual};
use crate::support::{ManualClock, TestApp, TestDatabase, TokenRow};

/// A token that was created long ago, with so much time.
fn row(app: &TestApp, number: u128, left: TimeDelta) -> TokenRow {
    let expiry = (app.clock.now() + left).timestamp_micros();
    TokenRow { expiry, ..TokenRow::new(number, format!("row {number}")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_time_before_the_end_is_told_once() {
    let app = start().await;
    let token = ending(&app, "ci", DAY * 40).await;
    let end = app.clock.now() + DAY * 40;
    for _ in 0..50 {
        look(&app).await;
        look(&app).await;
        app.clock.advance(TimeDelta::hours(20));
    }
    assert_eq!(told(&app, &token.id).await, ["30 days", "7 days", "1 day", "end"]);
    let events = events(&app, &token.id).await;
    for (event, most) in events.iter().zip([30, 7, 1]) {
        assert_eq!(event["action"], "API_TOKEN_EXPIRING");
        let left: std::time::Duration =
            fact(event, "left").parse::<humantime::Duration>().unwrap().into();
        let most = (DAY * most).to_std().unwrap();
        let step = TimeDelta::hours(21).to_std().unwrap();
        assert!(left <= most && left + step > most, "{left:?} of {most:?}");
    }
    for event in &events {
        let told: chrono::DateTime<chrono::Utc> = fact(event, "effectiveExpiry").parse().unwrap();
        assert!((told - end).abs() < TimeDelta::minutes(5), "{told} {end}");
        assert_eq!(event["actor"]["userName"], "system");
        assert!(event["actorApiTokenId"].is_null());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_pause_only_the_nearest_time_is_told() {
    let app = start().await;
    let (near, far) = (ending(&app, "near", DAY * 31).await, ending(&app, "far", DAY * 40).await);
    look(&app).await;
    app.clock.advance(DAY * 25);
    look(&app).await;
    assert_eq!(told(&app, &near.id).await, ["7 days"]);
    assert_eq!(told(&app, &far.id).await, ["30 days"]);
    app.clock.advance(DAY * 400);
    look(&app).await;
    look(&app).await;
    assert_eq!(told(&app, &near.id).await, ["7 days", "end"]);
    assert_eq!(told(&app, &far.id).await, ["30 days", "end"]);
}

/// A database may have a million tokens that ended before there were notices.
#[tokio::test(flavor = "multi_thread")]
async fn what_had_ended_before_the_first_look_is_not_told() {
    let app = start().await;
    let (day, long_ago) = (row(&app, 1, -DAY), row(&app, 2, -DAY * 900));
    let (soon, later) = (row(&app, 3, DAY * 5), row(&app, 4, TimeDelta::minutes(30)));
    TokenRow::insert(&[day.clone(), long_ago, soon.clone(), later.clone()], &app.database);
    for _ in 0..3 {
        look(&app).await;
        app.clock.advance(TimeDelta::hours(1));
    }
    // Not even if something is done to them.
    change(&app, &day.id(), 1, json!({ "enabled": false })).await;
    change(&app, &day.id(), 2, json!({ "enabled": true })).await;
    look(&app).await;
    assert_eq!(told(&app, &day.id()).await, [""; 0]);
    assert_eq!(told(&app, &soon.id()).await, ["7 days"]);
    assert_eq!(told(&app, &later.id()).await, ["1 day", "end"]);
    assert_eq!(app.database.count("expiry_notices"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_goes_back_repeats_and_loses_nothing() {
    let app = start().await;
    let (early, late) = (row(&app, 1, DAY * 12), row(&app, 2, DAY * 11));
    TokenRow::insert(std::slice::from_ref(&early), &app.database);
    look(&app).await;
    app.clock.advance(DAY * 10);
    look(&app).await;
    assert_eq!(told(&app, &early.id()).await, ["30 days", "7 days"]);
    app.clock.advance(-DAY * 10);
    look(&app).await;
    // The clock was wrong: an operator takes the time back that was kept, with a new start.
    TokenRow::insert(std::slice::from_ref(&late), &app.database);
    app.database.execute(&format!("UPDATE audit_tail SET clock = {}", TestDatabase::instant(0)));
    let clock = Arc::new(ManualClock::default());
    let again = another(&app, Arc::clone(&clock)).await;
    let step = TimeDelta::hours(20);
    for _ in 0..16 {
        again.notice_expiries(&usual()).await;
        app.clock.advance(step);
        clock.advance(step);
    }
    assert_eq!(told(&app, &early.id()).await, ["30 days", "7 days", "1 day", "end"]);
    assert_eq!(told(&app, &late.id()).await, ["30 days", "7 days", "1 day", "end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_notices_are_removed_and_not_made_again() {
    let app = start().await;
    let token = ending(&app, "ci", DAY * 5).await;
    look(&app).await;
    app.clock.advance(DAY * 6);
    look(&app).await;
    assert_eq!(app.database.count("expiry_notices"), 2);
    app.clock.advance(DAY * 88);
    look(&app).await;
    assert_eq!(app.database.count("expiry_notices"), 2);
    app.clock.advance(DAY * 2);
    look(&app).await;
    assert_eq!(app.database.count("expiry_notices"), 0);
    look(&app).await;
    assert_eq!(told(&app, &token.id).await, ["7 days", "end"]);
}
