//! Following the newest audit events: a reader that asks for the events before the newest cursor it
//! has seen misses none, even if a request committed late or a clock is behind.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokenwright::domain::clock::Clock;

use crate::support::{TestApp, made};

/// What a reader has seen so far, the oldest first, and the cursor of the newest.
struct Reader<'a> {
    app: &'a TestApp,
    cursor: String,
    seen: Vec<Value>,
}

const FOLLOW: &str = "query ($before: String!) {
    auditEvents(last: 3, before: $before) { nodes { id date targetId } pageInfo { startCursor } }
}";

impl<'a> Reader<'a> {
    /// Starts after the newest event.
    async fn new(app: &'a TestApp) -> Self {
        let query = "{ auditEvents(first: 1) { pageInfo { startCursor } } }";
        let answer = app.query(&app.admin, query).await;
        let cursor = &answer.data()["auditEvents"]["pageInfo"]["startCursor"];
        Self { app, cursor: cursor.as_str().unwrap().to_owned(), seen: Vec::new() }
    }

    /// Reads page by page until there is nothing new.
    async fn follow(&mut self) {
        loop {
            let before = json!({ "before": self.cursor });
            let answer = self.app.graphql(&self.app.admin, FOLLOW, before).await;
            let page = &answer.data()["auditEvents"];
            let Some(cursor) = page["pageInfo"]["startCursor"].as_str() else { return };
            cursor.clone_into(&mut self.cursor);
            self.seen.extend(page["nodes"].as_array().unwrap().iter().rev().cloned());
        }
    }

    fn targets(&self) -> Vec<&str> {
        self.seen.iter().map(|event| event["targetId"].as_str().unwrap()).collect()
    }

    fn dates(&self) -> Vec<DateTime<Utc>> {
        self.seen.iter().map(|event| event["date"].as_str().unwrap().parse().unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_dated_early_comes_after_what_was_seen() {
    let app = TestApp::start().await;
    let now = app.clock.now();
    let mut reader = Reader::new(&app).await;
    app.clock.stop_at(now + TimeDelta::hours(1));
    let ahead = made(&app, "ahead", json!({})).await;
    reader.follow().await;
    assert_eq!(reader.targets(), [&ahead.id]);
    // As on a server whose clock is behind, or in a request that waited before it committed.
    app.clock.stop_at(now + TimeDelta::minutes(1));
    let behind = made(&app, "behind", json!({})).await;
    let delete = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
    app.graphql(&app.admin, delete, json!({ "id": behind.id })).await.data();
    app.clock.stop_at(now + TimeDelta::hours(2));
    let last = made(&app, "last", json!({})).await;
    reader.follow().await;
    assert_eq!(reader.targets(), [&ahead.id, &behind.id, &behind.id, &last.id]);
    let (hour, next) = (TimeDelta::hours(1), TimeDelta::microseconds(1));
    let expected = [hour, hour + next, hour + next * 2, hour * 2].map(|after| now + after);
    assert_eq!(reader.dates(), expected, "dates are real where they can be");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_misses_nothing_of_what_many_do_at_once() {
    const EACH: usize = 12;

    let app = TestApp::start().await;
    let mut reader = Reader::new(&app).await;
    let writers = (0..8).map(|writer| {
        let app = &app;
        async move {
            let mut ids = Vec::new();
            for n in 0..EACH {
                ids.push(made(app, &format!("{writer} {n}"), json!({})).await.id);
            }
            ids
        }
    });
    let mut writing = std::pin::pin!(join_all(writers));
    let ids = loop {
        tokio::select! {
            biased;
            ids = &mut writing => break ids,
            () = reader.follow() => {}
        }
    };
    reader.follow().await;
    let mut made: Vec<&str> = ids.iter().flatten().map(String::as_str).collect();
    let mut seen = reader.targets();
    made.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, made);
    assert!(reader.dates().is_sorted_by(|earlier, later| earlier < later));
}
