//! `audit-retention`: a running server removes audit events of this age.

use tokenwright::domain::clock::{Clock, SystemClock};
use tokenwright::domain::lifetime::Lifetime;

use crate::support::{
    Binary, EventRow, Options, TestApp, TestDatabase, TokenRow, assert_ended, eventually, migrated,
};

/// More than two steps of the removal.
const OLD: u128 = 1_200;
/// Events that are not old enough.
const YOUNG: u128 = 30;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Events that are 401 days old and older, then some of 399 days; a token with the number 1.
fn fill(database: &TestDatabase) {
    TokenRow::insert(&[TokenRow::new(1, "token 1")], database);
    let now = SystemClock.now().timestamp_micros();
    let row = |number: u128| {
        let days = if number <= OLD { 401 } else { 399 };
        EventRow {
            number,
            date: now - days * DAY + i64::try_from(number).unwrap(),
            action: "api_token_updated",
            actor: 1,
            target: 1,
        }
    };
    let rows: Vec<EventRow> = (1..=OLD + YOUNG).map(row).collect();
    EventRow::insert(&rows, database);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_removes_what_is_old_and_counts_it() {
    let database = migrated();
    fill(&database);
    let young = || database.count("audit_events") == i64::try_from(YOUNG).unwrap();
    let serve = ["serve", "--audit-retention", "400d", "--metrics-listen", "127.0.0.1:0"];
    let server = Binary::on(&database, &serve).serve();
    let removed = |text: &str| text.matches("old audit events were removed").count();
    let said = server.running.until(|said| removed(&said.err()) > 0).err();
    assert!(said.contains("events=1200"), "{said}");
    assert!(young());
    let url = said.lines().find_map(|line| Some(line.split_once("Prometheus on ")?.1)).unwrap();
    let numbers = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(numbers.contains("\ntokenwright_audit_events_removed_total 1200\n"), "{numbers}");
    assert_eq!(server.get("/readyz").await.status, 200);
    let ended = server.stop();
    assert_eq!(removed(&ended.stderr), 1, "{}", ended.stderr);
    // There is nothing more to remove, and to say.
    let again = Binary::on(&database, &serve).serve();
    assert_eq!(again.get("/readyz").await.status, 200);
    assert_eq!(removed(&again.stop().stderr), 0);
    assert!(young());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_it_nothing_is_removed() {
    let database = migrated();
    fill(&database);
    let server = Binary::on(&database, &["serve"]).serve();
    assert_eq!(server.get("/readyz").await.status, 200);
    assert_ended(&server.stop(), 0, "");
    assert_eq!(database.count("audit_events"), i64::try_from(OLD + YOUNG).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_fails_is_counted_and_done_the_next_time() {
    let app = TestApp::with(Options { metrics: true, ..Options::default() }).await;
    fill(&app.database);
    let all = app.database.count("audit_events");
    let retention = Lifetime::parse("400d").unwrap();
    app.database.execute("ALTER TABLE audit_events RENAME TO gone");
    app.service.remove_old_events(retention, false).await;
    app.database.execute("ALTER TABLE gone RENAME TO audit_events");
    let url = format!("http://{}/metrics", app.metrics.unwrap());
    let numbers = app.http.get(url).send().await.unwrap().text().await.unwrap();
    let failure = "tokenwright_background_failures_total{duty=\"audit_retention\"} 1";
    assert!(numbers.contains(failure), "{numbers}");
    assert_eq!(app.database.count("audit_events"), all);
    app.service.remove_old_events(retention, false).await;
    assert_eq!(app.database.count("audit_events"), all - i64::try_from(OLD).unwrap());
}

/// On PostgreSQL that is another instance as well.
#[tokio::test(flavor = "multi_thread")]
async fn two_that_remove_at_once_are_harmless_to_each_other() {
    let app = TestApp::start().await;
    fill(&app.database);
    let all = app.database.count("audit_events");
    let retention = Lifetime::parse("400d").unwrap();
    let age = ["admin", "prune", "--older-than", "400d"];
    let prune = Binary::on(&app.database, &age).start();
    app.service.remove_old_events(retention, false).await;
    assert_ended(&prune.wait(), 0, "removed ");
    eventually("what is old is gone", || {
        app.database.count("audit_events") == all - i64::try_from(OLD).unwrap()
    })
    .await;
    assert_eq!(app.query(&app.admin, "{ currentUser { name } }").await.status, 200);
}

#[test]
fn a_retention_that_may_be_a_slip_is_refused() {
    let database = migrated();
    for (age, told) in [("400m", "30 days or more"), ("29d", "30 days or more"), ("400", "90d")] {
        let ended = Binary::on(&database, &["serve", "--audit-retention", age]).run();
        assert_ended(&ended, 2, told);
    }
}
