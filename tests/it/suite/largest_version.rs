//! A token with the largest version that can be stored: a change that needs another version is
//! refused, unless it takes power away.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Made, TestApp, made, stored, works};

const UPDATE: &str = "mutation ($input: UpdateApiTokenInput!) {
    updateApiToken(input: $input) { apiToken { version name } } }";
const RENEW: &str = "mutation ($input: RenewApiTokenInput!) {
    renewApiToken(input: $input) { apiToken { version } } }";
const DELETE: &str = "mutation ($input: DeleteApiTokenInput!) {
    deleteApiToken(input: $input) { user { enabled version } } }";

/// A token that was changed as often as can be, and so was its user.
async fn worn_out(app: &TestApp) -> Made {
    let token = made(app, "worn out", json!({})).await;
    for table in ["api_tokens", "users"] {
        let update = format!("UPDATE {table} SET version = {} WHERE name = 'worn out'", i32::MAX);
        app.database.execute(&update);
    }
    token
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_refused_and_one_that_changes_nothing_is_not() {
    let app = TestApp::start().await;
    let token = worn_out(&app).await;
    let before = stored(&app);
    for change in [json!({ "name": "new" }), json!({ "enabled": false })] {
        let mut input = json!({ "id": token.id, "version": i32::MAX });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = app.graphql(&app.admin, UPDATE, json!({ "input": input })).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT version version_exhausted"]);
    }
    assert_eq!(stored(&app), before);
    let input = json!({ "id": token.id, "version": i32::MAX, "name": "worn out" });
    let answer = app.graphql(&app.admin, UPDATE, json!({ "input": input })).await;
    assert_eq!(answer.data()["updateApiToken"]["apiToken"]["version"], i32::MAX);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_renewed_but_not_ended_earlier() {
    let app = TestApp::start().await;
    let token = worn_out(&app).await;
    let expiry = app.in_time(TimeDelta::days(30));
    let input = json!({ "id": token.id, "expiry": expiry, "overlapSeconds": 0 });
    let answer = app.graphql(&app.admin, RENEW, json!({ "input": input })).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT overlapSeconds version_exhausted"]);
    let input = json!({ "id": token.id, "expiry": expiry });
    let answer = app.graphql(&app.admin, RENEW, json!({ "input": input })).await;
    assert_eq!(answer.data()["renewApiToken"]["apiToken"]["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_deleted() {
    let app = TestApp::start().await;
    let token = worn_out(&app).await;
    let input = json!({ "id": token.id, "version": i32::MAX });
    let answer = app.graphql(&app.admin, DELETE, json!({ "input": input })).await;
    let user = json!({ "enabled": false, "version": i32::MAX });
    assert_eq!(answer.data()["deleteApiToken"]["user"], user);
    assert!(!works(&app, &token.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_follows_its_tokens_name_whatever_its_own_version() {
    let app = TestApp::start().await;
    let token = worn_out(&app).await;
    app.database.execute("UPDATE api_tokens SET version = 1 WHERE name = 'worn out'");
    let input = json!({ "id": token.id, "version": 1, "name": "renamed" });
    app.graphql(&app.admin, UPDATE, json!({ "input": input })).await.data();
    let user = "SELECT name AS text FROM users WHERE version = 2147483647";
    assert_eq!(app.database.texts(user), ["renamed"]);
}
