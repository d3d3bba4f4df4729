//! How many sockets and subscriptions there may be, and how they end with the server.

use std::time::Duration;

use serde_json::json;
use tokenwright::http::SocketLimits;
use tokenwright::service::LiveLimits;

use super::{FOLLOW, listening, listening_within};
use crate::suite::metrics::scrape;
use crate::support::{
    Binary, Options, TestApp, WebSocket, administrator, eventually, made, migrated,
};

fn limits(all: usize, per_token: usize, subscriptions: usize) -> SocketLimits {
    SocketLimits { sockets: LiveLimits { all, per_token }, subscriptions }
}

/// The code that one more socket with this token is closed with.
async fn refused(app: &TestApp, token: &str) -> u16 {
    let mut socket = WebSocket::open(app).await;
    socket.init(token).await;
    socket.closed().await
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_with_one_token_are_bounded_and_one_that_ends_makes_room() {
    let app = listening_within(limits(100, 2, 1)).await;
    let other = made(&app, "other", json!({})).await;
    let one = WebSocket::with(&app, &app.admin).await;
    let _two = WebSocket::with(&app, &app.admin).await;
    assert_eq!(refused(&app, &app.admin).await, 1013);
    let _other = WebSocket::with(&app, &other.secret).await;
    drop(one);
    eventually("there is room", || app.service.live_callers() == 2).await;
    let _three = WebSocket::with(&app, &app.admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_are_bounded_in_all_and_those_without_a_token_do_not_count() {
    let app = listening_within(limits(2, 2, 1)).await;
    let other = made(&app, "other", json!({})).await;
    let mut strangers = Vec::new();
    for _ in 0..5 {
        strangers.push(WebSocket::open(&app).await);
    }
    let _one = WebSocket::with(&app, &app.admin).await;
    let _two = WebSocket::with(&app, &other.secret).await;
    for token in [&app.admin, &other.secret] {
        assert_eq!(refused(&app, token).await, 1013);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_on_one_socket_are_bounded() {
    let app = listening_within(limits(10, 10, 2)).await;
    let mut socket = WebSocket::with(&app, &app.admin).await;
    for id in ["1", "2", "3"] {
        socket.subscribe(id, FOLLOW, json!({})).await;
    }
    let message = socket.text().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("3")), "{message}");
    let extensions = &message["payload"][0]["extensions"];
    assert_eq!(extensions["reason"], "subscription_limit", "{message}");
    socket.say(json!({ "type": "complete", "id": "1" })).await;
    socket.subscribe("3", FOLLOW, json!({})).await;
    socket.settled().await;
    made(&app, "one", json!({})).await;
    let mut ids: Vec<String> = Vec::new();
    for _ in 0..2 {
        ids.push(socket.text().await["id"].as_str().unwrap().to_owned());
    }
    ids.sort();
    assert_eq!(ids, ["2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_sockets_are_counted_for_prometheus() {
    let options =
        Options { metrics: true, subscriptions: Some(limits(10, 10, 1)), ..Options::default() };
    let app = TestApp::with(options).await;
    let _one = WebSocket::with(&app, &app.admin).await;
    let two = WebSocket::with(&app, &app.admin).await;
    assert!(scrape(&app).await.contains("\ntokenwright_sockets_open 2"));
    drop(two);
    eventually("it is gone", || app.service.live_callers() == 1).await;
    assert!(scrape(&app).await.contains("\ntokenwright_sockets_open 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_server_closes_sockets_as_going_away() {
    let app = listening().await;
    let mut with = WebSocket::with(&app, &app.admin).await;
    with.subscribe("1", FOLLOW, json!({})).await;
    with.settled().await;
    let mut without = WebSocket::open(&app).await;
    drop(app);
    assert_eq!(with.closed().await, 1001);
    assert_eq!(without.closed().await, 1001);
}

/// A socket that stays keeps the process for the whole of `shutdown-timeout`, which is longer than
/// the test waits.
#[tokio::test(flavor = "multi_thread")]
async fn sockets_do_not_hold_up_the_end_of_the_process() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let serve = ["serve", "--subscriptions", "--shutdown-timeout", "10m"];
    let server = Binary::on(&database, &serve).serve();
    let mut deaf = WebSocket::at(server.address).await;
    deaf.init(&admin).await;
    assert_eq!(deaf.text().await["type"], "connection_ack");
    let stopped = tokio::task::spawn_blocking(move || server.stop());
    let ended = tokio::time::timeout(Duration::from_secs(60), stopped).await.unwrap().unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(deaf.closed().await, 1001);
}
