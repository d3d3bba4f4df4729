//! The rules of graphql-transport-ws, and the codes that clients act on.

use serde_json::{Value, json};

use super::{FOLLOW, impatient, listening};
use crate::support::{TestApp, WebSocket, made};

/// The code that a message is answered with on a socket with a token.
async fn code_of(app: &TestApp, message: Value) -> u16 {
    let mut socket = WebSocket::with(app, &app.admin).await;
    socket.say(message).await;
    socket.closed().await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_token_the_code_is_4401() {
    let app = listening().await;
    let bound = made(&app, "bound", json!({ "allowedAddresses": ["192.0.2.1"] })).await;
    let secret = |text: &str| json!({ "authorization": text });
    for payload in [
        Value::Null,
        json!({}),
        json!("twr_nonsense"),
        secret("Bearer twr_nonsense"),
        secret(&format!("Basic {}", app.admin)),
        secret(&format!("Bearer {}", bound.secret)),
    ] {
        let mut socket = WebSocket::open(&app).await;
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.closed().await, 4401, "{payload}");
    }
    let mut socket = WebSocket::open(&app).await;
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.closed().await, 4401);
    let mut socket = WebSocket::open(&app).await;
    socket.subscribe("1", FOLLOW, json!({})).await;
    assert_eq!(socket.closed().await, 4401, "a subscription before the token");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_the_token_is_written_in_any_case_and_once() {
    let app = listening().await;
    let bearer = format!("Bearer {}", app.admin);
    for payload in
        [json!({ "AUTHORIZATION": bearer }), json!({ "authorization": bearer, "other": [1] })]
    {
        let mut socket = WebSocket::open(&app).await;
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.text().await["type"], "connection_ack");
    }
    for payload in [
        json!({ "authorization": bearer, "Authorization": bearer }),
        json!({ "authorization": [bearer] }),
    ] {
        let mut socket = WebSocket::open(&app).await;
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.closed().await, 4400, "{payload}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_says_nothing_is_closed_with_4408() {
    let app = impatient().await;
    let mut socket = WebSocket::open(&app).await;
    assert_eq!(socket.closed().await, 4408);
    let mut socket = WebSocket::open(&app).await;
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.text().await, json!({ "type": "pong" }));
    assert_eq!(socket.closed().await, 4408, "a ping is no token");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_protocol_forbids_has_its_code() {
    let app = listening().await;
    assert_eq!(code_of(&app, json!({ "type": "connection_init" })).await, 4429);
    let subscribe =
        |id: Value, payload: Value| json!({ "type": "subscribe", "id": id, "payload": payload });
    for message in [
        json!([]),
        json!(1),
        json!({}),
        json!({ "type": "start", "id": "1", "payload": { "query": FOLLOW } }),
        json!({ "type": "connection_terminate" }),
        json!({ "type": "connection_ack" }),
        json!({ "type": "subscribe", "id": "1" }),
        json!({ "type": "complete" }),
        subscribe(json!(1), json!({ "query": FOLLOW })),
        subscribe(json!(""), json!({ "query": FOLLOW })),
        subscribe(json!("1".repeat(129)), json!({ "query": FOLLOW })),
        subscribe(json!("1"), json!({})),
        subscribe(json!("1"), json!({ "query": 1 })),
        subscribe(json!("1"), json!({ "query": FOLLOW, "variables": [] })),
    ] {
        assert_eq!(code_of(&app, message.clone()).await, 4400, "{message}");
    }
    let mut socket = WebSocket::with(&app, &app.admin).await;
    socket.frame(0x81, b"{\"type\":").await;
    assert_eq!(socket.closed().await, 4400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_use_has_4409_and_one_that_has_ended_is_free() {
    let app = listening().await;
    let mut socket = WebSocket::with(&app, &app.admin).await;
    socket.subscribe("same", FOLLOW, json!({})).await;
    socket.say(json!({ "type": "complete", "id": "same" })).await;
    socket.say(json!({ "type": "complete", "id": "never began" })).await;
    socket.subscribe("same", FOLLOW, json!({})).await;
    socket.settled().await;
    made(&app, "one", json!({})).await;
    assert!(socket.next("same").await["errors"].is_null());
    socket.subscribe("same", FOLLOW, json!({})).await;
    assert_eq!(socket.closed().await, 4409);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_document_are_an_error_message_and_the_socket_goes_on() {
    let app = listening().await;
    let mut socket = WebSocket::with(&app, &app.admin).await;
    let deep = format!("subscription {}{}", "{ a ".repeat(50), "}".repeat(50));
    let long = format!("subscription {{ {} }}", "apiTokenEvents { cursor } ".repeat(2_000));
    for (query, variables, reason) in [
        ("{ currentUser { id } }", json!({}), "not_subscription"),
        ("mutation { __typename }", json!({}), "not_subscription"),
        ("subscription { nothing }", json!({}), "validation"),
        (
            "subscription { a: apiTokenEvents { cursor } b: apiTokenEvents { cursor } }",
            json!({}),
            "validation",
        ),
        ("subscription { __typename }", json!({}), "validation"),
        ("subscription {", json!({}), "syntax"),
        (&deep, json!({}), "nesting_limit"),
        (&long, json!({}), "token_limit"),
        (FOLLOW, json!({ "after": 1 }), "validation"),
        (FOLLOW, json!({ "after": "nonsense" }), "cursor_invalid"),
        (FOLLOW, json!({ "filter": { "targetId": ["usr_1"] } }), "id_syntax"),
        (
            FOLLOW,
            json!({ "filter": { "targetId": vec!["tok_00000000000000000000zz"; 101] } }),
            "targets_too_many",
        ),
    ] {
        socket.subscribe("1", query, variables).await;
        let message = socket.text().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("1")), "{message}");
        let extensions = &message["payload"][0]["extensions"];
        assert_eq!(extensions["code"], "BAD_USER_INPUT", "{message}");
        assert_eq!(extensions["reason"], reason, "{message}");
    }
    let both = json!({ "after": "nonsense", "filter": { "targetId": ["a", "b"] } });
    socket.subscribe("1", FOLLOW, both).await;
    let message = socket.text().await;
    let faults = message["payload"].as_array().unwrap();
    let fields: Vec<&str> =
        faults.iter().map(|fault| fault["extensions"]["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["after", "filter.targetId", "filter.targetId"], "{message}");
    assert_eq!(faults[0]["path"], json!(["apiTokenEvents"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_not_answered_by_requests() {
    let app = listening().await;
    let answer = app.query(&app.admin, FOLLOW).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT subscription"]);
    // Also where the document is known from a socket.
    let mut socket = WebSocket::with(&app, &app.admin).await;
    socket.subscribe("1", FOLLOW, json!({})).await;
    socket.settled().await;
    let answer = app.query(&app.admin, FOLLOW).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT subscription"]);
}
