//! `verifyApiToken` and `verifyApiTokens`.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, made};

const ONE: &str = "mutation ($input: VerifyApiTokenInput!) { verifyApiToken(input: $input) { \
    active reason retryAfter apiToken { id name permissions } user { id name } } }";
const MANY: &str = "mutation ($input: VerifyApiTokensInput!) { verifyApiTokens(input: $input) { \
    verifications { active reason apiToken { id } user { id } } } }";

/// A token that may ask about tokens and users.
async fn asker(app: &TestApp) -> String {
    let permissions = json!({ "permissions": ["API_API_TOKENS_READ", "API_USERS_READ"] });
    made(app, "asker", permissions).await.secret
}

async fn verified(app: &TestApp, by: &str, input: Value) -> Answer {
    app.graphql(by, ONE, json!({ "input": input })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_active_token_is_shown_with_its_user() {
    let app = TestApp::start().await;
    let by = asker(&app).await;
    let token = made(&app, "ci", json!({})).await;
    let input = json!({ "token": token.secret, "permissions": ["API_ORGANIZATIONS_READ"] });
    let answer = verified(&app, &by, input).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        answer.data()["verifyApiToken"],
        json!({
            "active": true,
            "reason": null,
            "retryAfter": null,
            "apiToken": {
                "id": token.id, "name": "ci", "permissions": ["API_ORGANIZATIONS_READ"],
            },
            "user": { "id": token.user_id, "name": "ci" },
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_reason_is_told_and_no_token_is_shown() {
    let app = TestApp::start().await;
    let by = asker(&app).await;
    let expiry = json!({ "expiry": app.in_time(TimeDelta::seconds(60)) });
    let expired = made(&app, "expired", expiry).await.secret;
    app.clock.advance(TimeDelta::seconds(60));
    let token = made(&app, "ci", json!({})).await.secret;
    let bound = made(&app, "bound", json!({ "allowedAddresses": ["192.0.2.0/24"] })).await.secret;
    let disabled = made(&app, "disabled", json!({})).await;
    let deleted = made(&app, "deleted", json!({})).await;
    let end = format!(
        "mutation {{ updateApiToken(input: {{ id: \"{}\", version: 1, enabled: false }}) \
         {{ apiToken {{ id }} }} deleteApiToken(input: {{ id: \"{}\" }}) {{ deletedApiTokenId }} }}",
        disabled.id, deleted.id
    );
    app.query(&app.admin, &end).await.data();
    let wrong = crate::suite::authentication::wrong(&token);
    let unknown = crate::suite::authentication::unknown(&app);
    let both = json!(["API_ORGANIZATIONS_READ", "API_USERS_READ"]);
    let table = [
        (json!({ "token": "nonsense" }), "INVALID_TOKEN"),
        (json!({ "token": wrong }), "INVALID_TOKEN"),
        (json!({ "token": unknown }), "INVALID_TOKEN"),
        (json!({ "token": deleted.secret }), "INVALID_TOKEN"),
        (json!({ "token": expired }), "EXPIRED"),
        (json!({ "token": disabled.secret }), "DISABLED"),
        (json!({ "token": bound }), "ADDRESS_UNKNOWN"),
        (json!({ "token": bound, "clientAddress": null }), "ADDRESS_UNKNOWN"),
        (json!({ "token": bound, "clientAddress": "192.0.3.1" }), "ADDRESS_NOT_ALLOWED"),
        (
            json!({ "token": bound, "clientAddress": "::1", "permissions": both }),
            "ADDRESS_NOT_ALLOWED",
        ),
        (
            json!({ "token": bound, "clientAddress": "192.0.2.1", "permissions": both }),
            "PERMISSION_MISSING",
        ),
        (json!({ "token": token, "permissions": both }), "PERMISSION_MISSING"),
        (json!({ "token": bound, "clientAddress": "192.0.2.1" }), "active"),
        (json!({ "token": bound, "clientAddress": "::ffff:192.0.2.1" }), "active"),
        (json!({ "token": token, "clientAddress": "203.0.113.1", "permissions": [] }), "active"),
    ];
    for (input, expected) in &table {
        let answer = verified(&app, &by, input.clone()).await;
        let told = &answer.data()["verifyApiToken"];
        let active = *expected == "active";
        assert_eq!(told["active"], active, "{input}");
        assert_eq!(told["reason"].as_str().unwrap_or("active"), *expected, "{input}");
        assert_eq!(told["apiToken"].is_object(), active, "{input}");
        assert_eq!(told["user"].is_object(), active, "{input}");
    }
    // All of them at once, in their order.
    let inputs: Vec<&Value> = table.iter().map(|(input, _)| input).collect();
    let answer = app.graphql(&by, MANY, json!({ "input": { "tokens": inputs } })).await;
    let told = answer.data()["verifyApiTokens"]["verifications"].as_array().unwrap();
    let reasons: Vec<&str> =
        told.iter().map(|told| told["reason"].as_str().unwrap_or("active")).collect();
    assert_eq!(reasons, table.iter().map(|(_, expected)| *expected).collect::<Vec<_>>());
    assert!(told.iter().all(|told| told["active"] == told["apiToken"].is_object()));
}

/// The same as by `apiToken(id)`: the permission to read tokens shows every token, whatever it may
/// do and from wherever; the permission to read users shows its user.
#[tokio::test(flavor = "multi_thread")]
async fn the_caller_learns_what_it_may_read() {
    let app = TestApp::start().await;
    let reader = json!({ "permissions": ["API_API_TOKENS_READ"] });
    let reader = made(&app, "reader", reader).await.secret;
    let wider = made(&app, "wider", json!({ "permissions": ["API_USERS_WRITE"] })).await;
    let answer = verified(&app, &reader, json!({ "token": wider.secret })).await;
    assert_eq!(answer.json["data"]["verifyApiToken"]["apiToken"]["id"], wider.id.as_str());
    assert_eq!(answer.json["data"]["verifyApiToken"]["user"], Value::Null);
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"]);
    let own = verified(&app, &reader, json!({ "token": reader })).await;
    assert_eq!(own.data()["verifyApiToken"]["user"]["name"], "reader");
    let nobody = made(&app, "nobody", json!({})).await.secret;
    let refused = verified(&app, &nobody, json!({ "token": wider.secret })).await;
    assert_eq!(refused.errors(), ["FORBIDDEN permission_missing"]);
    assert_eq!(refused.json["data"]["verifyApiToken"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_is_sent_by_post_and_without_changes() {
    let app = TestApp::start().await;
    let by = asker(&app).await;
    let verify = "verifyApiToken(input: { token: \"x\" }) { active }";
    let url = format!("{}?query=mutation%7B{verify}%7D", app.url());
    let answer = Answer::of(app.http.get(url).bearer_auth(&by).send().await.unwrap()).await;
    assert_eq!(answer.status, 405);
    for mixed in [
        format!(
            "mutation {{ {verify} deleteApiToken(input: {{ id: \"tok_x\" }}) {{ __typename }} }}"
        ),
        format!(
            "mutation {{ deleteApiToken(input: {{ id: \"tok_x\" }}) {{ __typename }} {verify} }}"
        ),
    ] {
        let answer = app.query(&app.admin, &mixed).await;
        let errors = answer.errors();
        assert!(errors.contains(&"BAD_USER_INPUT verification_mixed".to_owned()), "{errors:?}");
        assert_eq!(answer.json["data"]["verifyApiToken"], Value::Null);
    }
    let several = format!("mutation {{ a: {verify} b: {verify} }}");
    app.query(&by, &several).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_input_are_told_together() {
    let app = TestApp::start().await;
    let by = asker(&app).await;
    let answer = verified(&app, &by, json!({ "token": "x", "clientAddress": "10.0.0.0/8" })).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT clientAddress address_invalid"]);
    let tokens: Vec<Value> = ["1.2.3.4", "x", "::1", "01.2.3.4"]
        .iter()
        .map(|address| json!({ "token": "x", "clientAddress": address }))
        .collect();
    let answer = app.graphql(&by, MANY, json!({ "input": { "tokens": tokens } })).await;
    let places: Vec<&Value> = answer.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["extensions"]["index"])
        .collect();
    assert_eq!(places, [&json!(1), &json!(3)]);
    let many = |count| json!({ "input": { "tokens": vec![json!({ "token": "x" }); count] } });
    let answer = app.graphql(&by, MANY, many(101)).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT tokens too_many_tokens"]);
    let answer = app.graphql(&by, MANY, many(100)).await;
    let told = answer.data()["verifyApiTokens"]["verifications"].as_array().unwrap().len();
    assert_eq!(told, 100);
    let answer = app.graphql(&by, MANY, many(0)).await;
    assert_eq!(answer.data()["verifyApiTokens"]["verifications"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_secrets_are_one_read() {
    let log = crate::support::Log::start();
    let app = TestApp::start().await;
    let by = asker(&app).await;
    let mut reads = Vec::new();
    for tagged in [true, false] {
        let mut tokens = Vec::new();
        for n in 0..20 {
            let secret = made(&app, &format!("token {n}, {tagged}"), json!({})).await.secret;
            tokens.push(json!({ "token": secret }));
        }
        if !tagged {
            app.database
                .execute("UPDATE api_tokens SET secret_tag = NULL WHERE name LIKE '%, false'");
        }
        let variables = json!({ "input": { "tokens": tokens } });
        for _ in 0..2 {
            let answer = app.graphql(&by, MANY, variables.clone()).await;
            let told =
                answer.data()["verifyApiTokens"]["verifications"].as_array().unwrap().clone();
            assert!(told.iter().all(|told| told["active"] == true), "{}", answer.text);
            let lines = log.lines_with(&[answer.header("x-request-id"), " credentials "]);
            reads.push(lines.len());
        }
    }
    assert_eq!(reads, [1, 1, 2, 1], "once more where bcrypt was waited for");
}

/// What was read for one verification counts for another only while nothing was committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_past_the_server_counts_for_the_next_verification() {
    let app = TestApp::start().await;
    let by = asker(&app).await;
    let (ci, other) = (made(&app, "ci", json!({})).await, made(&app, "other", json!({})).await);
    let all = json!({ "tokens": [{ "token": ci.secret }, { "token": other.secret }] });
    for round in 0..20 {
        for (enabled, column) in [(true, "TRUE"), (false, "FALSE")] {
            drop(app.database.change(&ci.id, &format!("enabled = {column}")));
            for again in 0..3 {
                let when = format!("round {round}, {again} times before");
                let one = verified(&app, &by, json!({ "token": ci.secret })).await;
                assert_eq!(one.data()["verifyApiToken"]["active"], enabled, "{when}");
                let many = app.graphql(&by, MANY, json!({ "input": all })).await;
                let told = &many.data()["verifyApiTokens"]["verifications"];
                assert_eq!(told[0]["active"], enabled, "{when}");
                assert_eq!(told[1]["active"], true, "{when}");
            }
        }
    }
}
