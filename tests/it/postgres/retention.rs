//! Several instances remove old audit events at the same time.

use tokenwright::domain::clock::{Clock, SystemClock};

use crate::support::{Binary, EventRow, TokenRow, assert_ended, eventually, migrated};

const EVENTS: u128 = 4_000;

#[tokio::test(flavor = "multi_thread")]
async fn instances_remove_each_event_once_and_none_fails() {
    let database = migrated();
    TokenRow::insert(&[TokenRow::new(1, "token 1")], &database);
    let old = SystemClock.now().timestamp_micros() - 401 * 24 * 60 * 60 * 1_000_000;
    EventRow::insert(&EventRow::updates(EVENTS, old), &database);
    let serve = || Binary::on(&database, &["serve", "--audit-retention", "400d"]);
    let starting = [(); 3].map(|()| serve().args(&["--listen", "127.0.0.1:0"]).start());
    for running in &starting {
        running.listening();
    }
    eventually("they are gone", || database.count("audit_events") == 0).await;
    let mut removed = 0;
    for running in starting {
        running.signal("TERM");
        let ended = running.wait();
        assert_ended(&ended, 0, "");
        assert!(!ended.stderr.contains("are not all removed yet"), "{}", ended.stderr);
        let events = ended.stderr.lines().find_map(|line| line.split_once("events="));
        let events = events.map_or(0, |(_, rest)| {
            rest.split_whitespace().next().unwrap().parse::<u128>().unwrap()
        });
        removed += events;
    }
    assert!(removed <= EVENTS, "{removed}");
}
