//! Who may listen: a socket shows nothing that a request with the same token would not show at the
//! same moment.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{FOLLOW, listening};
use crate::support::{Made, TestApp, WebSocket, made};

const LISTENER: [&str; 2] = ["API_API_TOKENS_READ", "API_ORGANIZATIONS_READ"];

async fn listener(app: &TestApp, more: Value) -> Made {
    let mut input = json!({ "permissions": LISTENER });
    for (field, value) in more.as_object().unwrap() {
        input[field] = value.clone();
    }
    made(app, "listener", input).await
}

async fn change(app: &TestApp, id: &str, change: &str) {
    let update = format!(
        "mutation {{ updateApiToken(input: {{ id: \"{id}\", version: 1, {change} }}) \
         {{ apiToken {{ id }} }} }}"
    );
    app.query(&app.admin, &update).await.data();
}

async fn delete(app: &TestApp, id: &str) {
    let delete = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
    app.graphql(&app.admin, delete, json!({ "id": id })).await.data();
}

/// A socket that listens, with a subscription that has begun.
async fn subscribed(app: &TestApp, secret: &str) -> WebSocket {
    let mut socket = WebSocket::with(app, secret).await;
    socket.subscribe("1", FOLLOW, json!({})).await;
    socket.settled().await;
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_closes_its_sockets_with_4401_and_hears_no_more() {
    let app = listening().await;
    for way in ["delete", "disable", "bind"] {
        let token = listener(&app, json!({})).await;
        // One that listens, and one that does nothing.
        let mut listens = subscribed(&app, &token.secret).await;
        let mut idle = WebSocket::with(&app, &token.secret).await;
        match way {
            "delete" => delete(&app, &token.id).await,
            "disable" => change(&app, &token.id, "enabled: false").await,
            _ => change(&app, &token.id, "allowedAddresses: [\"192.0.2.1\"]").await,
        }
        // The event of its own end is not for it.
        assert_eq!(listens.closed().await, 4401, "{way}");
        assert_eq!(idle.closed().await, 4401, "{way}");
        if way != "delete" {
            delete(&app, &token.id).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_closes_its_sockets() {
    let app = listening().await;
    let expiry = app.in_time(TimeDelta::hours(1));
    let token = listener(&app, json!({ "expiry": expiry })).await;
    let mut idle = WebSocket::with(&app, &token.secret).await;
    app.clock.advance(TimeDelta::hours(2));
    assert_eq!(idle.closed().await, 4401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_taken_away_counts_for_the_next_event() {
    let app = listening().await;
    let token = listener(&app, json!({})).await;
    let mut socket = subscribed(&app, &token.secret).await;
    change(&app, &token.id, "permissions: [API_ORGANIZATIONS_READ]").await;
    let refused = socket.next("1").await;
    assert!(refused["data"].is_null(), "{refused}");
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
    assert_eq!(socket.text().await, json!({ "type": "complete", "id": "1" }));
    socket.subscribe("2", FOLLOW, json!({})).await;
    let refused = socket.text().await;
    assert_eq!(refused["type"], "error", "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_tokens_may_not_listen() {
    let app = listening().await;
    let token = made(&app, "other", json!({ "permissions": ["API_USERS_READ"] })).await;
    let mut socket = WebSocket::with(&app, &token.secret).await;
    socket.subscribe("1", FOLLOW, json!({})).await;
    let refused = socket.text().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("1")), "{refused}");
    let extensions = &refused["payload"][0]["extensions"];
    assert_eq!(extensions["code"], "FORBIDDEN", "{refused}");
    assert_eq!(extensions["permission"], "api.api-tokens.read", "{refused}");
}

/// Each field below an event is guarded as it is in a list.
#[tokio::test(flavor = "multi_thread")]
async fn fields_of_an_event_need_what_they_need_in_the_list() {
    let app = listening().await;
    let fields = "id actor { userId user { id name } }";
    let token = listener(&app, json!({})).await;
    let list = format!("{{ auditEvents(first: 1) {{ nodes {{ {fields} }} }} }}");
    let mut socket = WebSocket::with(&app, &token.secret).await;
    let follow = format!("subscription {{ apiTokenEvents {{ node {{ {fields} }} }} }}");
    socket.subscribe("1", &follow, json!({})).await;
    socket.settled().await;
    made(&app, "one", json!({})).await;
    let came = socket.next("1").await;
    let listed = app.query(&token.secret, &list).await;
    let node = &came["data"]["apiTokenEvents"]["node"];
    assert_eq!(*node, listed.json["data"]["auditEvents"]["nodes"][0], "{came}");
    assert!(node["actor"]["user"].is_null(), "{came}");
    let code = |errors: &Value| errors[0]["extensions"]["code"].clone();
    assert_eq!(code(&came["errors"]), code(&listed.json["errors"]));
    assert_eq!(code(&came["errors"]), "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_used_where_it_is_shown_to_a_socket() {
    let app = listening().await;
    let token = listener(&app, json!({ "allowedAddresses": ["192.0.2.0/24"] })).await;
    // Another address than the one that the socket comes from.
    let mut socket = WebSocket::open(&app).await;
    socket.init(&token.secret).await;
    assert_eq!(socket.closed().await, 4401);
}
