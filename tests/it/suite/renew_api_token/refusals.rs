//! What is not renewed, changing nothing.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{input, renew, renewed, writer};
use crate::support::{
    Answer, Log, Options, TestApp, TestDatabase, UNKNOWN_TOKEN, made, stored, works,
};

/// A refusal that changed nothing.
async fn assert_refused(app: &TestApp, token: &str, input: Value, expected: &[&str]) -> Answer {
    let before = stored(app);
    let answer = renew(app, token, input).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.errors(), expected);
    assert_eq!(answer.json["data"], json!({ "renewApiToken": null }));
    assert_eq!(answer.json["errors"][0]["path"], json!(["renewApiToken"]));
    assert_eq!(stored(app), before, "nothing is half done");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_is_refused_with_its_reason() {
    let app = TestApp::start().await;
    let old = made(&app, "ci", json!({})).await;
    let years = TimeDelta::days(730);
    for (more, expected) in [
        (json!({ "expiry": app.in_time(TimeDelta::zero()) }), "BAD_USER_INPUT expiry expiry_past"),
        (json!({ "expiry": "1999-12-31T23:59:59Z" }), "BAD_USER_INPUT expiry expiry_past"),
        (
            json!({ "expiry": app.in_time(years + TimeDelta::hours(1)) }),
            "BAD_USER_INPUT expiry expiry_too_far",
        ),
        (json!({ "expiry": "tomorrow" }), "BAD_USER_INPUT expiry expiry_syntax"),
        (json!({ "name": "" }), "BAD_USER_INPUT name name_empty"),
        (json!({ "name": " \u{a0}" }), "BAD_USER_INPUT name name_blank"),
        (json!({ "name": "a\u{202e}b" }), "BAD_USER_INPUT name name_control_character"),
        (json!({ "name": "n".repeat(201) }), "BAD_USER_INPUT name name_too_long"),
        (json!({ "name": "Ｃｉ" }), "CONFLICT name name_taken"),
        (json!({ "overlapSeconds": -1 }), "BAD_USER_INPUT overlapSeconds overlap_negative"),
        (json!({ "overlapSeconds": i32::MIN }), "BAD_USER_INPUT overlapSeconds overlap_negative"),
    ] {
        assert_refused(&app, &app.admin, input(&app, &old.id, more), &[expected]).await;
    }
    for more in [
        json!({ "overlapSeconds": 2_147_483_648_i64 }),
        json!({ "overlapSeconds": "60" }),
        json!({ "expiry": null }),
        json!({ "permissions": ["API_USERS_READ"] }),
    ] {
        let answer = renew(&app, &app.admin, input(&app, &old.id, more)).await;
        assert!(answer.json["data"]["renewApiToken"].is_null(), "{}", answer.text);
        assert!(answer.errors()[0].starts_with("BAD_USER_INPUT"), "{}", answer.text);
    }
    for id in ["", "x", &old.secret, &old.user_id] {
        let expected = ["BAD_USER_INPUT id id_syntax"];
        let answer = assert_refused(&app, &app.admin, input(&app, id, json!({})), &expected).await;
        assert!(!answer.text.contains(&old.secret), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_are_told_together() {
    let app = TestApp::start().await;
    let old = made(&app, "ci", json!({})).await;
    renewed(&renew(&app, &app.admin, input(&app, &old.id, json!({}))).await);
    app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'ci'");
    for name in [json!("ADMINISTRATOR"), json!(null)] {
        let faults = json!({ "name": name, "expiry": "soon", "overlapSeconds": -5 });
        let expected = [
            "BAD_USER_INPUT id token_disabled",
            "CONFLICT name name_taken",
            "BAD_USER_INPUT expiry expiry_syntax",
            "BAD_USER_INPUT overlapSeconds overlap_negative",
        ];
        assert_refused(&app, &app.admin, input(&app, &old.id, faults), &expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_token_is_enabled_first() {
    let app = TestApp::start().await;
    let old = made(&app, "ci", json!({})).await;
    let by = writer(&app, "own").await;
    app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'ci'");
    for secret in [&app.admin, &by.secret] {
        let expected = ["BAD_USER_INPUT id token_disabled"];
        let answer = assert_refused(&app, secret, input(&app, &old.id, json!({})), &expected).await;
        assert!(answer.message().contains("enable the token first"), "{}", answer.message());
    }
    app.database.execute("UPDATE api_tokens SET enabled = TRUE WHERE name = 'ci'");
    renewed(&renew(&app, &app.admin, input(&app, &old.id, json!({}))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reaches_further_is_answered_like_what_is_not_there() {
    let app = TestApp::start().await;
    let grant = json!({
        "permissions": ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"],
        "allowedAddresses": ["127.0.0.0/8", "10.0.0.0/24"],
    });
    let by = made(&app, "caller", grant).await;
    let mut hidden = vec![UNKNOWN_TOKEN.to_owned()];
    for (name, permissions, addresses) in [
        ("more", vec!["API_ORGANIZATIONS_READ", "API_USERS_READ"], vec!["10.0.0.1"]),
        ("wider", vec!["API_ORGANIZATIONS_READ"], vec!["10.0.0.0/23"]),
        ("anywhere", vec!["API_ORGANIZATIONS_READ"], vec![]),
        ("disabled", vec!["API_USERS_READ"], vec!["10.0.0.1"]),
        ("gone", vec!["API_ORGANIZATIONS_READ"], vec!["10.0.0.1"]),
    ] {
        let grant = json!({ "permissions": permissions, "allowedAddresses": addresses });
        hidden.push(made(&app, name, grant).await.id);
    }
    app.database.execute(
        "UPDATE api_tokens SET enabled = FALSE WHERE name = 'disabled'; \
         UPDATE api_tokens SET deleted_date = creation_date WHERE name = 'gone'",
    );
    let before = stored(&app);
    for more in [
        json!({}),
        json!({ "name": "fine", "overlapSeconds": 0 }),
        json!({ "name": "more" }),
        json!({ "name": "", "expiry": "soon", "overlapSeconds": -1 }),
    ] {
        let mut answers = Vec::new();
        for id in &hidden {
            answers.push(renew(&app, &by.secret, input(&app, id, more.clone())).await);
        }
        for answer in &answers {
            assert_eq!((answer.status, &answer.text), (answers[0].status, &answers[0].text));
        }
        assert_eq!(answers[0].errors(), ["NOT_FOUND"]);
        assert_eq!(answers[0].message(), "There is nothing with this id.");
    }
    assert_eq!(stored(&app), before);
    let grant = json!({
        "permissions": ["API_ORGANIZATIONS_READ"], "allowedAddresses": ["10.0.0.0/25", "127.0.0.1"],
    });
    let less = made(&app, "less", grant).await;
    let document = "mutation ($input: RenewApiTokenInput!) {
        renewApiToken(input: $input) { token apiToken { allowedAddresses permissions } } }";
    let variables = json!({ "input": input(&app, &less.id, json!({})) });
    let answer = app.graphql(&by.secret, document, variables).await;
    let expected = json!({
        "allowedAddresses": ["10.0.0.0/25", "127.0.0.1"], "permissions": ["API_ORGANIZATIONS_READ"],
    });
    assert_eq!(answer.data()["renewApiToken"]["apiToken"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_its_permission() {
    let app = TestApp::start().await;
    let others = ["API_API_TOKENS_READ", "API_API_TOKENS_DELETE", "API_USERS_READ"];
    let by = made(&app, "reader", json!({ "permissions": others })).await;
    for id in [&by.id, UNKNOWN_TOKEN, "x"] {
        let faults = input(&app, id, json!({ "name": "", "overlapSeconds": -1 }));
        let expected = ["FORBIDDEN permission_missing"];
        let answer = assert_refused(&app, &by.secret, faults, &expected).await;
        let extensions = &answer.json["errors"][0]["extensions"];
        assert_eq!(extensions["permission"], "api.api-tokens.write");
    }
    let document = format!(
        "mutation {{ renewApiToken(input: {{ id: \"{}\", expiry: \"{}\" }}) {{ token }} }}",
        by.id,
        app.in_time(TimeDelta::days(1)),
    );
    let anonymous = app.post().body(json!({ "query": document }).to_string());
    assert_eq!(anonymous.send().await.unwrap().status(), 401);
    let url = reqwest::Url::parse_with_params(&app.url(), [("query", document)]).unwrap();
    let by_get = app.http.get(url).bearer_auth(&app.admin).send().await.unwrap();
    assert_eq!(by_get.status(), 405);
    assert!(works(&app, &by.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_this_server_does_not_know_is_not_granted_anew() {
    let log = Log::start();
    let app = TestApp::with(Options::default()).await;
    let old = made(&app, "ci", json!({})).await;
    let (known, newer) = ("api.organizations.read", "api.moons.read");
    let held = TestDatabase::list(&[newer, known]);
    app.database.execute(&format!("UPDATE api_tokens SET permissions = {held}"));
    let write = TestDatabase::list(&["api.api-tokens.write", newer, known]);
    app.database.execute(&format!(
        "UPDATE api_tokens SET permissions = {write} WHERE name = 'administrator'"
    ));
    let answer =
        assert_refused(&app, &app.admin, input(&app, &old.id, json!({})), &["INTERNAL"]).await;
    assert!(!answer.text.contains("moons"), "{}", answer.text);
    let id = answer.json["errors"][0]["extensions"]["requestId"].as_str().unwrap();
    assert_eq!(log.lines_with(&[id, newer, &old.id]).len(), 1);
}
