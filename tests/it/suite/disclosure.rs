//! What a permission to change tokens shows of them: no more than the caller knows already.

use serde_json::{Value, json};

use crate::support::{Answer, Made, TestApp, made, stored, works};

/// Everything that the record of another token would reveal.
const FIELDS: [&str; 16] = [
    "creationDate",
    "lastModifiedDate",
    "createdUserInfo { userName }",
    "lastModifiedUserInfo { userId }",
    "userId",
    "user { name }",
    "name",
    "description",
    "labels { value }",
    "partialToken",
    "expiry",
    "allowedAddresses",
    "permissions",
    "status",
    "lastUsedDate",
    "lastUsedAddress",
];

/// A token that may change tokens, and delete them, but not read them.
async fn blind(app: &TestApp) -> Made {
    let permissions = ["API_API_TOKENS_WRITE", "API_API_TOKENS_DELETE", "API_ORGANIZATIONS_READ"];
    made(app, "blind", json!({ "permissions": permissions })).await
}

async fn update(app: &TestApp, token: &str, input: Value, selected: &str) -> Answer {
    let mut query = format!(
        "mutation ($input: UpdateApiTokenInput!) {{ updateApiToken(input: $input) {{ {selected} }} }}"
    );
    if selected.contains("...All") {
        query.push_str(" fragment All on ApiToken { expiry }");
    }
    app.graphql(token, &query, json!({ "input": input })).await
}

#[track_caller]
fn assert_forbidden(answer: &Answer, permission: &str) {
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"], "{}", answer.text);
    assert_eq!(answer.json["errors"][0]["extensions"]["permission"], permission);
    let data = answer.json["data"].as_object().unwrap();
    assert!(data.values().all(Value::is_null), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_shows_nothing_of_a_token_that_the_caller_may_not_read() {
    let app = TestApp::start().await;
    let (blind, ci) = (blind(&app).await, made(&app, "ci", json!({})).await);
    let before = stored(&app);
    for changed in [json!({}), json!({ "enabled": false })] {
        let mut input = json!({ "id": ci.id, "version": 1 });
        input.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        let shown = FIELDS.map(|field| format!("apiToken {{ id {field} }}"));
        let hidden = [
            "apiToken { ...All }",
            "apiToken { ... on ApiToken { id ... { version status } } }",
            "... { apiToken { id: expiry } }",
            "apiToken { id } again: apiToken { version: expiry }",
            "apiToken { id renewedFrom { id } }",
        ];
        for selected in shown.iter().map(String::as_str).chain(hidden) {
            let answer = update(&app, &blind.secret, input.clone(), selected).await;
            assert_forbidden(&answer, "api.api-tokens.read");
        }
    }
    assert_eq!(stored(&app), before, "it is refused before anything changes");

    // What the caller gave, or needs for the next change.
    let selected = "__typename descendantCount apiToken { __typename id version }";
    let input = json!({ "id": ci.id, "version": 1 });
    let answer = update(&app, &blind.secret, input, selected).await;
    let expected = json!({ "__typename": "ApiToken", "id": ci.id, "version": 1 });
    assert_eq!(answer.data()["updateApiToken"]["apiToken"], expected);
    let input = json!({ "id": ci.id, "version": 1, "name": "new" });
    let selected = "apiToken { id version name }";
    let answer = update(&app, &blind.secret, input, selected).await;
    let expected = json!({ "id": ci.id, "version": 2, "name": "new" });
    assert_eq!(answer.data()["updateApiToken"]["apiToken"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_changes_that_shows_too_much_is_refused_alone() {
    let app = TestApp::start().await;
    let (blind, ci) = (blind(&app).await, made(&app, "ci", json!({})).await);
    let query = "mutation ($id: ID!) {
        much: updateApiToken(input: { id: $id, version: 1, enabled: false }) {
            apiToken { id status } }
        little: updateApiToken(input: { id: $id, version: 1, name: \"new\" }) {
            apiToken { id version } }
    }";
    let answer = app.graphql(&blind.secret, query, json!({ "id": ci.id })).await;
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"]);
    let expected = json!({ "much": null, "little": { "apiToken": { "id": ci.id, "version": 2 } } });
    assert_eq!(answer.json["data"], expected);
    assert!(works(&app, &ci.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_callers_own_or_just_made_is_shown() {
    let app = TestApp::start().await;
    let (blind, ci) = (blind(&app).await, made(&app, "ci", json!({})).await);
    let input = json!({ "id": blind.id, "version": 1 });
    // Fields of users have a guard of their own, which knows the caller's.
    let all = FIELDS.join(" ");
    let answer = update(&app, &blind.secret, input, &format!("apiToken {{ {all} }}")).await;
    assert_eq!(answer.data()["updateApiToken"]["apiToken"]["name"], "blind");

    let made = all.replace("user { name }", "");
    let query = format!(
        "mutation ($input: CreateApiTokenInput!) {{
            createApiToken(input: $input) {{ token apiToken {{ {made} }} }} }}"
    );
    let input = json!({ "input": app.input("made", json!({})) });
    let answer = app.graphql(&blind.secret, &query, input).await;
    assert_eq!(answer.data()["createApiToken"]["apiToken"]["name"], "made");

    let query = format!(
        "mutation ($input: RenewApiTokenInput!) {{
            renewApiToken(input: $input) {{ token apiToken {{ {made} renewedFrom {{ id }} }} }} }}"
    );
    let expiry = app.in_time(chrono::TimeDelta::days(9));
    let input = json!({ "input": { "id": ci.id, "name": "renewed", "expiry": expiry } });
    let answer = app.graphql(&blind.secret, &query, input).await;
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"], "of the old token");
    let payload = &answer.json["data"]["renewApiToken"];
    assert_eq!(payload["apiToken"]["name"], "renewed");
    assert_eq!(payload["apiToken"]["renewedFrom"], json!(null));
    assert!(works(&app, payload["token"].as_str().unwrap()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_shows_nothing_of_a_user_that_the_caller_may_not_read() {
    let app = TestApp::start().await;
    let (blind, ci) = (blind(&app).await, made(&app, "ci", json!({})).await);
    let delete = |selected: &str| {
        format!(
            "mutation ($id: ID!) {{ deleteApiToken(input: {{ id: $id }}) {{
                deletedApiTokenId {selected} }} }}"
        )
    };
    let before = stored(&app);
    for selected in [
        "user { name }",
        "user { id creationDate }",
        "user { lastModifiedDate }",
        "user { serviceAccount }",
        "user { apiToken { id } }",
        "user { ... on User { name } }",
    ] {
        let answer = app.graphql(&blind.secret, &delete(selected), json!({ "id": ci.id })).await;
        assert_forbidden(&answer, "api.users.read");
    }
    assert_eq!(stored(&app), before, "it is refused before anything changes");
    let query = delete("descendantCount user { __typename id version enabled }");
    let answer = app.graphql(&blind.secret, &query, json!({ "id": ci.id })).await;
    let expected =
        json!({ "__typename": "User", "id": ci.user_id, "version": 2, "enabled": false });
    assert_eq!(answer.data()["deleteApiToken"]["user"], expected);
    let own = delete("user { name serviceAccount }");
    let answer = app.graphql(&blind.secret, &own, json!({ "id": blind.id })).await;
    assert_eq!(answer.data()["deleteApiToken"]["user"]["name"], "blind");
}

/// Names are unique, so a refusal must say that one is taken. It does not say by whom.
#[tokio::test(flavor = "multi_thread")]
async fn a_taken_name_is_told_to_those_who_may_write() {
    let app = TestApp::start().await;
    let (blind, ci) = (blind(&app).await, made(&app, "ci", json!({})).await);
    let taken = app.create(&blind.secret, app.input("ci", json!({}))).await;
    assert_eq!(taken.errors(), ["CONFLICT name name_taken"]);
    assert!(!taken.text.contains(&ci.id) && !taken.text.contains(&ci.user_id));
    let reader = json!({ "permissions": ["API_API_TOKENS_DELETE"] });
    let other = made(&app, "other", reader).await;
    let refused = app.create(&other.secret, app.input("ci", json!({}))).await;
    assert_eq!(refused.errors(), ["FORBIDDEN permission_missing"]);
}
