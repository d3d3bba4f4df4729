//! What a listener gets: every event, once, in the order of commits.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokenwright::domain::clock::Clock;
use tokenwright::domain::filter::FollowedEvents;
use tokenwright::domain::principal::Principal;
use tokenwright::service::FollowedEvent;

use super::{FOLLOW, listening};
use crate::support::{TestApp, WebSocket, made};

/// The cursor of the newest event.
async fn newest(app: &TestApp) -> Value {
    let query = "{ auditEvents(first: 1) { pageInfo { startCursor } } }";
    app.query(&app.admin, query).await.data()["auditEvents"]["pageInfo"]["startCursor"].clone()
}

/// The next events of a subscription, as its `apiTokenEvents` shows them.
async fn events(socket: &mut WebSocket, id: &str, count: usize) -> Vec<Value> {
    let mut events = Vec::new();
    for _ in 0..count {
        let payload = socket.next(id).await;
        assert!(payload["errors"].is_null(), "{payload}");
        events.push(payload["data"]["apiTokenEvents"].clone());
    }
    events
}

fn targets(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["node"]["targetId"].as_str().unwrap()).collect()
}

async fn delete(app: &TestApp, id: &str) {
    let delete = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
    app.graphql(&app.admin, delete, json!({ "id": id })).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_as_they_are_committed_and_are_those_of_the_list() {
    let app = listening().await;
    let before = newest(&app).await;
    let mut socket = WebSocket::with(&app, &app.admin).await;
    socket.subscribe("1", FOLLOW, json!({ "after": before })).await;
    let one = made(&app, "one", json!({})).await;
    let first = events(&mut socket, "1", 1).await;
    assert_eq!(targets(&first), [&one.id]);
    delete(&app, &one.id).await;
    let second = events(&mut socket, "1", 1).await;
    assert_eq!(second[0]["node"]["action"], "API_TOKEN_DELETED");
    let query = "query ($before: String!) { auditEvents(last: 2, before: $before) \
                 { edges { cursor node { id action targetId } } } }";
    let answer = app.graphql(&app.admin, query, json!({ "before": before })).await;
    let edges = &answer.data()["auditEvents"]["edges"];
    assert_eq!([&second[0], &first[0]], [&edges[0], &edges[1]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_comes_back_goes_on_after_its_last_event() {
    const MISSED: usize = 50;
    let app = listening().await;
    let mut socket = WebSocket::with(&app, &app.admin).await;
    socket.subscribe("1", FOLLOW, json!({ "after": newest(&app).await })).await;
    made(&app, "seen", json!({})).await;
    let seen = events(&mut socket, "1", 1).await;
    drop(socket);
    let mut missed = Vec::new();
    for number in 0..MISSED {
        missed.push(made(&app, &format!("missed {number}"), json!({})).await.id);
    }
    let mut socket = WebSocket::with(&app, &app.admin).await;
    socket.subscribe("2", FOLLOW, json!({ "after": seen[0]["cursor"] })).await;
    let came = events(&mut socket, "2", MISSED).await;
    assert_eq!(targets(&came), missed);
    let next = made(&app, "next", json!({})).await;
    assert_eq!(targets(&events(&mut socket, "2", 1).await), [&next.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_place_a_listener_gets_what_happens_from_now_on() {
    let app = listening().await;
    made(&app, "before", json!({})).await;
    let mut socket = WebSocket::with(&app, &app.admin).await;
    socket.subscribe("1", FOLLOW, json!({})).await;
    socket.settled().await;
    let after = made(&app, "after", json!({})).await;
    assert_eq!(targets(&events(&mut socket, "1", 1).await), [&after.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_dated_early_and_committed_late_is_not_skipped() {
    let app = listening().await;
    let now = app.clock.now();
    let mut socket = WebSocket::with(&app, &app.admin).await;
    socket.subscribe("1", FOLLOW, json!({ "after": newest(&app).await })).await;
    app.clock.stop_at(now + TimeDelta::hours(1));
    let ahead = made(&app, "ahead", json!({})).await;
    assert_eq!(targets(&events(&mut socket, "1", 1).await), [&ahead.id]);
    // As on a server whose clock is behind, or in a request that waited before it committed.
    app.clock.stop_at(now + TimeDelta::minutes(1));
    let behind = made(&app, "behind", json!({})).await;
    assert_eq!(targets(&events(&mut socket, "1", 1).await), [&behind.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_listeners_get_all_that_many_do_at_once() {
    const LISTENERS: usize = 8;
    const CHANGES: usize = 40;
    let app = listening().await;
    let after = newest(&app).await;
    let listening = (0..LISTENERS).map(async |_| {
        let mut socket = WebSocket::with(&app, &app.admin).await;
        socket.subscribe("1", FOLLOW, json!({ "after": after })).await;
        events(&mut socket, "1", CHANGES).await
    });
    let names: Vec<String> = (0..CHANGES).map(|number| format!("token {number}")).collect();
    let making = names.iter().map(|name| made(&app, name, json!({})));
    let (came, made) = tokio::join!(join_all(listening), join_all(making));
    let mut ids: Vec<&str> = made.iter().map(|made| made.id.as_str()).collect();
    ids.sort_unstable();
    for events in &came {
        assert_eq!(events, &came[0], "in one order for all");
        let mut targets = targets(events);
        targets.sort_unstable();
        assert_eq!(targets, ids);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_falls_behind_what_is_kept_for_all_reads_the_rest_from_the_database() {
    // More than is kept.
    const CHANGES: usize = 300;
    let app = listening().await;
    let follow = async || {
        let (who, all) = (Principal::Operator, FollowedEvents::default());
        app.service.follow_audit_events(&who, all, None).await.unwrap()
    };
    let (mut slow, mut quick) = (follow().await, follow().await);
    made(&app, "first", json!({})).await;
    let date = |event: FollowedEvent| event.position.clone();
    let first = [slow.next().await, quick.next().await].map(|next| date(next.unwrap().unwrap()));
    assert_eq!(first[0], first[1]);
    let making = join_all((0..CHANGES).map(async |number| {
        made(&app, &format!("token {number}"), json!({})).await;
    }));
    let following = async {
        let mut seen = Vec::new();
        for _ in 0..CHANGES {
            seen.push(date(quick.next().await.unwrap().unwrap()));
        }
        seen
    };
    let (_, seen) = tokio::join!(making, following);
    for (number, expected) in seen.iter().enumerate() {
        let event = slow.next().await.unwrap().unwrap();
        assert_eq!(date(event), *expected, "event {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_lets_only_its_events_through_from_the_past_and_the_present() {
    let app = listening().await;
    let after = newest(&app).await;
    let (one, two) = (made(&app, "one", json!({})).await, made(&app, "two", json!({})).await);
    let mut socket = WebSocket::with(&app, &app.admin).await;
    let only = json!({ "action": ["API_TOKEN_DELETED"] });
    let both = json!({ "targetId": [one.id, two.id] });
    let second = json!({ "targetId": [two.id], "action": [] });
    for (id, filter) in [("deleted", only), ("both", both), ("second", second)] {
        socket.subscribe(id, FOLLOW, json!({ "after": after, "filter": filter })).await;
    }
    made(&app, "three", json!({})).await;
    delete(&app, &one.id).await;
    delete(&app, &two.id).await;
    let mut came: Vec<(String, String, String)> = Vec::new();
    for _ in 0..8 {
        let message = socket.text().await;
        let node = &message["payload"]["data"]["apiTokenEvents"]["node"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        came.push((text(&message["id"]), text(&node["targetId"]), text(&node["action"])));
    }
    let of = |id: &str| -> Vec<(&str, &str)> {
        let own = came.iter().filter(|(subscription, ..)| subscription == id);
        own.map(|(_, target, action)| (target.as_str(), action.as_str())).collect()
    };
    let (created, deleted) = ("API_TOKEN_CREATED", "API_TOKEN_DELETED");
    let (one, two) = (one.id.as_str(), two.id.as_str());
    assert_eq!(of("deleted"), [(one, deleted), (two, deleted)]);
    assert_eq!(of("both"), [(one, created), (two, created), (one, deleted), (two, deleted)]);
    assert_eq!(of("second"), [(two, created), (two, deleted)]);
}
