//! All reasons why a token does not count give one answer, and no secret reaches the log.

use chrono::TimeDelta;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;

use super::{WHO, assert_invalid, sent, status, unknown, used, who, with_wrong_checksum, wrong};
use crate::support::{Answer, Log, TestApp, eventually};

/// All of an answer that a caller could tell it apart by.
fn told(answer: &Answer) -> (StatusCode, Vec<String>, String) {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id" | "connection"))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.text.clone())
}

/// Secrets that do not count, for one reason each.
async fn invalid_secrets(app: &TestApp) -> Vec<(&'static str, String)> {
    let disabled = used(app, "disabled").await;
    let deleted = used(app, "deleted").await;
    let orphaned = used(app, "orphaned").await;
    let unused = app.input("unused", json!({}));
    let unused = app.secret(&app.admin, unused).await;
    let expiry = json!({ "expiry": app.in_time(TimeDelta::seconds(60)) });
    let expired = app.secret(&app.admin, app.input("expired", expiry)).await;
    app.clock.advance(TimeDelta::seconds(120));
    app.database.execute(
        "UPDATE api_tokens SET enabled = FALSE WHERE name IN ('disabled', 'unused');
         UPDATE api_tokens SET deleted_date = creation_date WHERE name = 'deleted';
         UPDATE users SET enabled = FALSE WHERE name = 'orphaned';",
    );
    vec![
        ("malformed", "nonsense".to_owned()),
        ("wrong checksum", with_wrong_checksum(&app.admin)),
        ("unknown", unknown(app)),
        ("wrong", wrong(&app.admin)),
        ("expired", expired),
        ("disabled", disabled),
        ("disabled before it was used", unused),
        ("deleted", deleted),
        ("of a disabled user", orphaned),
    ]
}

/// Requests of every kind, good and bad.
fn requests(app: &TestApp) -> Vec<RequestBuilder> {
    let document = |document: &str| app.post().body(json!({ "query": document }).to_string());
    let get = |query: &str| app.http.get(format!("{}{query}", app.url()));
    vec![
        app.post().body(WHO),
        document("{ __typename }"),
        document("{ syntax error"),
        document("{ unknownField }"),
        app.post().body("no JSON"),
        app.post().body(""),
        app.post().body("x".repeat(100_000)),
        app.post().header("accept", "text/html").body(WHO),
        app.http.post(app.url()),
        app.http.post(app.url()).body(WHO),
        app.http.post(app.url()).header("content-type", "text/plain").body(WHO),
        get(""),
        get("?query={__typename}"),
        get("?query=mutation{__typename}"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn all_reasons_are_one_answer_whatever_is_asked() {
    let app = TestApp::start().await;
    let mut answers = Vec::new();
    for (reason, secret) in invalid_secrets(&app).await {
        for request in requests(&app) {
            let answer = sent(request.bearer_auth(&secret)).await;
            assert_invalid(&answer);
            answers.push((reason, told(&answer)));
        }
    }
    let (_, first) = answers[0].clone();
    for (reason, answer) in answers {
        assert_eq!(answer, first, "{reason}");
    }
}

/// The steps are counted, not timed: bcrypt is the one that takes time.
#[tokio::test(flavor = "multi_thread")]
async fn all_reasons_take_the_same_steps() {
    let app = TestApp::start().await;
    let secrets = invalid_secrets(&app).await;
    // The administrator's and those of the three tokens that were used.
    eventually("what was used is checked", || app.service.bcrypt_runs() == 4).await;
    for (reason, secret) in secrets {
        for _ in 0..2 {
            assert_eq!(status(&app, &secret).await, 401, "{reason}");
        }
        assert_eq!(app.service.bcrypt_runs(), 4, "{reason}");
    }
    let fresh = app.secret(&app.admin, app.input("fresh", json!({}))).await;
    assert_eq!(status(&app, &fresh).await, 200);
    eventually("it is checked", || app.service.bcrypt_runs() == 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_reaches_the_log() {
    let log = Log::start();
    let app = TestApp::start().await;
    let secret = used(&app, "ci").await;
    let bearer = |token: &str| format!("Bearer {token}");
    let wrong = wrong(&secret);
    who(&app, &[&bearer(&wrong)]).await;
    who(&app, &[&bearer(&with_wrong_checksum(&secret))]).await;
    who(&app, &[&bearer(&secret), &bearer(&secret)]).await;
    who(&app, &[&format!("Basic {secret}")]).await;
    let url = format!("{}?access_token={secret}&query={{{secret}}}", app.url());
    sent(app.http.get(url).header("cookie", &secret)).await;
    let nowhere = format!("http://{}/{secret}?{secret}", app.address);
    sent(app.http.get(nowhere).header("user-agent", &secret)).await;
    for document in [
        format!("{{ node(id: \"{secret}\") {{ id }} }}"),
        format!("query {secret} {{ {secret} }}"),
        format!("{{ {secret}"),
    ] {
        let body =
            json!({ "query": document, "operationName": secret, "variables": { "x": secret } });
        sent(app.post().bearer_auth(&secret).body(body.to_string())).await;
        app.query(&secret, &document).await;
    }
    app.database.execute("ALTER TABLE users RENAME TO gone");
    assert_eq!(status(&app, &secret).await, 503);
    assert!(!log.lines_with(&["authentication refused"]).is_empty());
    for random in [&secret[27..], &wrong[27..]] {
        let lines = log.lines_with(&[&random[..43]]);
        assert!(lines.is_empty(), "{lines:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_judged_after_the_secret() {
    let app = TestApp::start().await;
    let expiry = app.in_time(TimeDelta::seconds(60));
    let elsewhere = json!({ "allowedAddresses": ["10.0.0.0/8", "::1"], "expiry": expiry });
    let secret = app.secret(&app.admin, app.input("ci", elsewhere)).await;
    let bearer = format!("Bearer {secret}");

    let answer = who(&app, &[&bearer]).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.errors(), ["FORBIDDEN address_not_allowed"]);
    assert_eq!(answer.header("www-authenticate"), "");

    assert_invalid(&who(&app, &[&format!("Bearer {}", wrong(&secret))]).await);
    app.clock.advance(TimeDelta::seconds(60));
    assert_invalid(&who(&app, &[&bearer]).await);
}
