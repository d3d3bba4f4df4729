//! Whole answers as clients get them, with a fixed clock and a seeded random source. Both databases
//! share the same snapshots.

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
            "description": "Builds\nand tests",
            "labels": [{ "key": "tenant", "value": "acme" }, { "key": "env", "value": "" }],
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

/// Ids numbered in the order in which they appear, so that a snapshot does not depend on how many
/// random bytes were drawn before; secrets and cursors masked.
fn masked(text: &str) -> String {
    let mut ids: Vec<&str> = Vec::new();
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, prefix, id)) = next_id(rest) {
        if !ids.contains(&id) {
            ids.push(id);
        }
        let number = ids.iter().position(|known| *known == id).unwrap() + 1;
        masked += &format!("{before}{prefix}{number}");
        rest = &rest[before.len() + prefix.len() + id.len()..];
        // What follows the id in a secret: an underscore and 49 characters.
        let secret = rest.get(..50).filter(|secret| {
            prefix == "twr_" && secret[1..].bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if secret.is_some() {
            masked += "_(secret)";
            rest = &rest[50..];
        }
    }
    masked += rest;
    let without_cursor = |line: &str| match line.split_once("ursor\": \"") {
        Some((name, _)) => {
            format!("{name}ursor\": \"...\"{}", if line.ends_with(',') { "," } else { "" })
        }
        None => line.to_owned(),
    };
    masked.lines().map(without_cursor).collect::<Vec<_>>().join("\n")
}

/// What comes before the first id, its prefix, and its 22 characters.
fn next_id(text: &str) -> Option<(&str, &str, &str)> {
    let found = |prefix: &'static str| {
        text.match_indices(prefix).find_map(|(at, _)| {
            let id = text.get(at + 4..at + 26)?;
            let whole = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            whole.then(|| (&text[..at], &text[at..at + 4], id))
        })
    };
    let all = ["tok_", "usr_", "evt_", "twr_"].into_iter().filter_map(found);
    all.min_by_key(|(before, ..)| before.len())
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
    description labels { key value }
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
        "labels": [{ "key": "Tenant", "value": "\n" }],
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
