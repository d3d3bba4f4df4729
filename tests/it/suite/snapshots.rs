//! Whole answers as clients get them, over a clock that stands still and ids that are the same in every
//! run. Both databases are held to the same snapshots.

use std::sync::Arc;

use insta::Settings;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::{Answer, ManualClock, Options, SeededRandom, TestApp};

/// An application on 15 January 2026 at noon.
async fn app() -> TestApp {
    TestApp::with(Options {
        clock: ManualClock::at("2026-01-15T12:00:00Z".parse().unwrap()),
        random: Arc::new(SeededRandom::new(2026)),
        ..Options::default()
    })
    .await
}

/// A token `ci` that was created by the administrator; its id and its secret.
async fn ci(app: &TestApp) -> (String, String) {
    let answer = app.create(
        &app.admin,
        json!({
            "name": "ci", "expiry": "2026-07-01T00:00:00Z",
            "permissions": ["API_API_TOKENS_READ", "API_ORGANIZATIONS_READ"],
            "allowedAddresses": ["127.0.0.0/8", "2001:db8::1"],
        }),
    );
    let answer = answer.await;
    let created = &answer.data()["createApiToken"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&created["apiToken"]["id"]), text(&created["token"]))
}

/// The status, the headers that are the same in every run, and the body, with secrets masked.
fn shown(answer: &Answer) -> String {
    let body = serde_json::to_string_pretty(&answer.json).unwrap();
    format!("{}\n{}\n{}", answer.status, stable(&answer.headers), masked(&body))
}

fn stable(headers: &HeaderMap) -> String {
    let varying = ["date", "x-request-id", "content-length"];
    let mut lines: Vec<String> = headers
        .iter()
        .filter(|(name, _)| !varying.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
        .collect();
    lines.sort();
    lines.concat()
}

/// A secret is the partial token with 49 characters in place of the asterisks.
fn masked(text: &str) -> String {
    let mut parts = text.split("twr_");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push_str("twr_");
        let secret = part.get(..72).is_some_and(|secret| {
            secret.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        });
        if secret {
            masked.push_str(&part[..23]);
            masked.push_str("(secret)");
            masked.push_str(&part[72..]);
        } else {
            masked.push_str(part);
        }
    }
    masked
}

/// Compares with `tests/it/suite/snapshots/NAME.snap`, which both test programs share.
fn assert_snapshot(name: &str, answer: &Answer) {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, shown(answer)));
}

/// What a client may want to know of a token.
const TOKEN: &str = "id version creationDate lastModifiedDate userId name partialToken expiry
    permissions allowedAddresses status lastUsedDate lastUsedAddress renewedFrom { id name }
    createdUserInfo { userId userName } lastModifiedUserInfo { userId userName }
    user { id name serviceAccount enabled version }";

#[tokio::test(flavor = "multi_thread")]
async fn a_created_token() {
    let app = app().await;
    let query = format!(
        "mutation ($input: CreateApiTokenInput!) {{ createApiToken(input: $input) {{
             token apiToken {{ {TOKEN} }} }} }}"
    );
    let input = json!({
        "name": "  Continuous integration ", "expiry": "2026-07-01T02:00:00.5+02:00",
        "permissions": ["API_ORGANIZATIONS_READ", "API_API_TOKENS_READ"],
        "allowedAddresses": ["2001:DB8::1", "127.0.0.0/8"],
    });
    let answer = app.graphql(&app.admin, &query, json!({ "input": input })).await;
    assert_snapshot("created", &answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_with_many_faults() {
    let app = app().await;
    let input = json!({
        "name": " ", "expiry": "2026-01-15T12:00:00Z", "permissions": [],
        "allowedAddresses": ["10.0.0.1/8", "fe80::1%eth0", "nonsense", "::ffff:192.0.2.1"],
    });
    let answer = app.create(&app.admin, input).await;
    assert_snapshot("many_faults", &answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_updated_token_and_a_stale_change() {
    let app = app().await;
    let (id, _) = ci(&app).await;
    let query = format!(
        "mutation ($input: UpdateApiTokenInput!) {{ updateApiToken(input: $input) {{
             apiToken {{ {TOKEN} }} }} }}"
    );
    let input =
        json!({ "input": { "id": id, "version": 1, "name": "ci (old)", "enabled": false } });
    let answer = app.graphql(&app.admin, &query, input.clone()).await;
    assert_snapshot("updated", &answer);
    let answer = app.graphql(&app.admin, &query, input).await;
    assert_snapshot("stale", &answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_token_and_a_deleted_one() {
    let app = app().await;
    let (id, _) = ci(&app).await;
    let query = format!(
        "mutation ($input: RenewApiTokenInput!) {{ renewApiToken(input: $input) {{
             token apiToken {{ {TOKEN} }} }} }}"
    );
    let input = json!({ "id": id, "expiry": "2027-01-01T00:00:00Z", "overlapSeconds": 3600 });
    let answer = app.graphql(&app.admin, &query, json!({ "input": input })).await;
    assert_snapshot("renewed", &answer);
    let delete = "mutation ($input: DeleteApiTokenInput!) { deleteApiToken(input: $input) {
        deletedApiTokenId user { id name serviceAccount enabled version } } }";
    let input = json!({ "input": { "id": id, "version": 2 } });
    let answer = app.graphql(&app.admin, delete, input.clone()).await;
    assert_snapshot("deleted", &answer);
    let answer = app.graphql(&app.admin, delete, input).await;
    assert_snapshot("deleted_again", &answer);
    let events = "{ auditEvents(first: 4) { totalCount nodes {
        id date action actor { userId userName } actorApiTokenId clientAddress targetId
        changes { field before after } } pageInfo { hasNextPage hasPreviousPage } } }";
    let answer = app.query(&app.admin, events).await;
    assert_snapshot("audit_events", &answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_tokens() {
    let app = app().await;
    ci(&app).await;
    let query = format!(
        "{{ apiTokens(first: 1, orderBy: {{ field: NAME, direction: DESC }}) {{ totalCount
             edges {{ cursor node {{ {TOKEN} }} }}
             pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    let answer = app.query(&app.admin, &query).await;
    assert_snapshot("list", &answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals() {
    let app = app().await;
    let (_, secret) = ci(&app).await;
    let anonymous = app.post().body(r#"{"query":"{ currentUser { id } }"}"#).send().await.unwrap();
    assert_snapshot("no_token", &Answer::of(anonymous).await);
    assert_snapshot("invalid_token", &app.query("twr_nonsense", "{ __typename }").await);
    assert_snapshot("permission_missing", &app.query(&secret, "{ users { totalCount } }").await);
    assert_snapshot("unknown_field", &app.query(&secret, "{ currentUsr { id } }").await);
    assert_snapshot("syntax_error", &app.query(&secret, "{ currentUser { id }").await);
}
