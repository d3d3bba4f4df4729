//! Changes that take power away do not wait behind those that do not.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Made, TestApp, made};

/// Changes that queue for the database.
const QUEUE: usize = 60;

const UPDATE: &str = "mutation ($input: UpdateApiTokenInput!) {
    updateApiToken(input: $input) { apiToken { id } } }";
const DELETE: &str = "mutation ($input: DeleteApiTokenInput!) {
    deleteApiToken(input: $input) { deletedApiTokenId } }";

/// The revocations that are tried: a document, and the input for a token.
fn revocations() -> [(&'static str, Value); 5] {
    [
        (DELETE, json!({})),
        (UPDATE, json!({ "version": 1, "enabled": false })),
        (UPDATE, json!({ "version": 1, "permissions": ["API_ORGANIZATIONS_READ"] })),
        (UPDATE, json!({ "version": 1, "allowedAddresses": ["10.0.0.0/8"] })),
        (UPDATE, json!({ "version": 1, "expiry": "2099-01-01T00:00:00Z" })),
    ]
}

async fn revoke(app: &TestApp, token: &Made, document: &str, mut input: Value) {
    input["id"] = json!(token.id);
    if input["expiry"].is_string() {
        input["expiry"] = json!(app.in_time(chrono::TimeDelta::days(1)));
    }
    app.graphql(&app.admin, document, json!({ "input": input })).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn revocations_go_before_the_changes_that_wait() {
    let app = TestApp::start().await;
    let mut renamed = Vec::new();
    for n in 0..QUEUE {
        renamed.push(made(&app, &format!("renamed {n}"), json!({})).await);
    }
    let mut revoked = Vec::new();
    for (n, (document, input)) in revocations().into_iter().enumerate() {
        let more = json!({ "permissions": ["API_ORGANIZATIONS_READ", "API_USERS_READ"] });
        revoked.push((made(&app, &format!("revoked {n}"), more).await, document, input));
    }
    let lock = app.database.write_lock();
    let queueing =
        join_all(renamed.iter().enumerate().map(|(n, token)| {
            let input = json!({ "id": token.id, "version": 1, "name": format!("{n}") });
            let app = &app;
            async move {
                app.graphql(&app.admin, UPDATE, json!({ "input": input })).await.data().clone()
            }
        }));
    let revoking = async {
        // The longer this takes, the more of them wait.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let app = &app;
        let revocations = revoked
            .iter()
            .map(|(token, document, input)| revoke(app, token, document, input.clone()));
        let opening = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            drop(lock);
        };
        tokio::join!(join_all(revocations), opening);
    };
    tokio::join!(queueing, revoking);

    let events = "SELECT coalesce(t.name, '') AS text FROM audit_events e \
                  JOIN api_tokens t ON t.id = e.target_id \
                  WHERE e.action <> 'api_token_created' ORDER BY e.date";
    let order = app.database.texts(events);
    assert_eq!(order.len(), QUEUE + revoked.len());
    let last = order.iter().rposition(|name| name.starts_with("revoked")).unwrap();
    // What had a connection before is done before.
    let before = last + 1 - revoked.len();
    assert!(before <= 5, "{before} changes were done before: {order:?}");
}
