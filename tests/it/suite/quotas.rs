//! How much tokens may make and change.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokenwright::service::Quotas;

use crate::support::{Answer, Made, ManualClock, Options, TestApp, made};

const RENEW: &str = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) {
    token apiToken { id userId } } }";
const UPDATE: &str = "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) {
    apiToken { version } } }";
const DELETE: &str = "mutation ($input: DeleteApiTokenInput!) { deleteApiToken(input: $input) {
    deletedApiTokenId } }";
const LIMITED: [&str; 1] = ["RATE_LIMITED change_limit"];

async fn with(quotas: Quotas) -> TestApp {
    TestApp::with(Options { quotas, ..Options::default() }).await
}

async fn send(app: &TestApp, token: &str, mutation: &str, input: Value) -> Answer {
    app.graphql(token, mutation, json!({ "input": input })).await
}

async fn renew(app: &TestApp, id: &str, name: &str) -> Answer {
    let expiry = app.in_time(TimeDelta::days(1));
    send(app, &app.admin, RENEW, json!({ "id": id, "expiry": expiry, "name": name })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_so_many_changes_a_minute_and_revokes_without_limit() {
    let quotas = Quotas { changes_per_minute: 4, ..Quotas::NONE };
    // Time only goes forward.
    let clock = ManualClock::at("2026-11-27T11:00:00Z".parse().unwrap());
    let app = TestApp::with(Options { quotas, clock, ..Options::default() }).await;
    app.clock.stop_at("2026-11-27T12:00:00Z".parse().unwrap());
    let permissions = json!({ "permissions": ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"] });
    let other = made(&app, "other", permissions).await;
    let one = made(&app, "one", json!({})).await;
    let two = made(&app, "two", json!({})).await;
    send(&app, &app.admin, UPDATE, json!({ "id": one.id, "version": 1, "name": "uno" }))
        .await
        .data();

    app.clock.stop_at("2026-11-27T12:00:20.5Z".parse().unwrap());
    let refused = [
        app.create(&app.admin, app.input("three", json!({}))).await,
        renew(&app, &two.id, "three").await,
        send(&app, &app.admin, UPDATE, json!({ "id": one.id, "version": 2, "name": "ein" })).await,
        send(
            &app,
            &app.admin,
            UPDATE,
            json!({ "id": two.id, "version": 1, "enabled": false, "name": "zwei" }),
        )
        .await,
    ];
    for answer in refused {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.errors(), LIMITED, "{}", answer.text);
        assert_eq!(answer.json["errors"][0]["extensions"]["retryAfter"], 40);
    }
    assert_eq!(app.database.count("api_tokens"), 4);
    send(&app, &app.admin, UPDATE, json!({ "id": one.id, "version": 2, "enabled": false }))
        .await
        .data();
    send(&app, &app.admin, DELETE, json!({ "id": two.id })).await.data();
    app.create(&other.secret, app.input("four", json!({}))).await.data();

    app.clock.stop_at("2026-11-27T12:01:00Z".parse().unwrap());
    app.create(&app.admin, app.input("five", json!({}))).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_so_many_live_tokens_of_its_making() {
    let app = with(Quotas { live_tokens_of_maker: 2, ..Quotas::NONE }).await;
    let permissions = json!({ "permissions": ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"] });
    let other = made(&app, "other", permissions).await;
    let one = Made::of(
        &app.create(&app.admin, app.input("one", json!({}))).await.data()["createApiToken"],
    );
    let expected = ["FORBIDDEN maker_quota"];
    let refused = app.create(&app.admin, app.input("two", json!({}))).await;
    assert_eq!(refused.errors(), expected);
    assert_eq!(renew(&app, &one.id, "two").await.errors(), expected);
    app.create(&other.secret, app.input("of the other", json!({}))).await.data();
    assert_eq!(app.database.count("api_tokens"), 4);
    send(&app, &app.admin, DELETE, json!({ "id": one.id })).await.data();
    app.create(&app.admin, app.input("two", json!({}))).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_so_many_live_tokens() {
    let app = with(Quotas { live_tokens: 3, ..Quotas::NONE }).await;
    let one = made(&app, "one", json!({})).await;
    made(&app, "two", json!({})).await;
    let expected = ["FORBIDDEN token_quota"];
    for name in ["three", "four"] {
        let answer = app.create(&app.admin, app.input(name, json!({}))).await;
        assert_eq!(answer.errors(), expected);
    }
    assert_eq!(renew(&app, &one.id, "three").await.errors(), expected);
    assert_eq!(app.database.count("api_tokens"), 3);
    send(&app, &app.admin, DELETE, json!({ "id": one.id })).await.data();
    // A retry takes the place of the token that it ends.
    let keyed = app.input("three", json!({ "idempotencyKey": "key" }));
    app.create(&app.admin, keyed.clone()).await.data();
    app.create(&app.admin, keyed).await.data();
    let answer = app.create(&app.admin, app.input("four", json!({}))).await;
    assert_eq!(answer.errors(), expected);
}
