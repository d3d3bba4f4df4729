//! The limit on failed proofs: by client address and overall, never by token.

use chrono::TimeDelta;
use reqwest::RequestBuilder;
use serde_json::json;
use tokenwright::service::FailureLimits;

use super::authentication::{unknown, wrong};
use crate::support::{Answer, Made, Options, TestApp, made};

/// An application behind a proxy on this machine, where so many proofs may fail.
async fn limited(per_address: u32, overall: u32) -> TestApp {
    TestApp::with(Options {
        trusted_proxies: vec!["127.0.0.1/32"],
        failures: FailureLimits { per_address, overall },
        ..Options::default()
    })
    .await
}

async fn sent(request: RequestBuilder, client: &str) -> Answer {
    let request = request.header("x-forwarded-for", client);
    Answer::of(request.send().await.unwrap()).await
}

/// Presents a secret at `/authorize` for this client.
async fn status(app: &TestApp, secret: &str, client: &str) -> u16 {
    let url = format!("http://{}/authorize?permission=api.organizations.read", app.address);
    sent(app.http.get(url).bearer_auth(secret), client).await.status.as_u16()
}

/// A token that may ask about others.
async fn asker(app: &TestApp) -> Made {
    let permissions = ["API_API_TOKENS_READ", "API_ORGANIZATIONS_READ"];
    made(app, "asker", json!({ "permissions": permissions })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fails_too_often_is_told_to_wait_and_nobody_else_is() {
    let app = limited(3, 1000).await;
    let token = asker(&app).await.secret;
    for expected in [401, 401, 401, 429, 429] {
        assert_eq!(status(&app, &unknown(&app), "192.0.2.1").await, expected);
    }
    assert_eq!(status(&app, &token, "192.0.2.1").await, 200, "a proven secret is never limited");
    assert_eq!(status(&app, &unknown(&app), "192.0.2.2").await, 401, "behind the same proxy");
    for client in ["2001:db8::1", "2001:db8::2", "2001:db8::3:4"] {
        assert_eq!(status(&app, "nonsense", client).await, 401);
    }
    assert_eq!(status(&app, "nonsense", "2001:db8::5").await, 429, "64 bits are one client");
    assert_eq!(status(&app, "nonsense", "2001:db8:0:1::5").await, 401);
    app.clock.advance(TimeDelta::seconds(60));
    assert_eq!(status(&app, &unknown(&app), "192.0.2.1").await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_locks_somebody_elses_token_out() {
    let app = limited(3, 1000).await;
    let token = asker(&app).await.secret;
    for n in 0..10 {
        for _ in 0..4 {
            status(&app, &wrong(&token), &format!("192.0.2.{n}")).await;
        }
    }
    for client in ["192.0.2.1", "192.0.2.200", "203.0.113.1"] {
        assert_eq!(status(&app, &token, client).await, 200, "{client}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_together_have_a_limit_as_well() {
    let app = limited(3, 5).await;
    let token = asker(&app).await.secret;
    for n in 0..5 {
        assert_eq!(status(&app, "nonsense", &format!("192.0.2.{n}")).await, 401);
    }
    assert_eq!(status(&app, "nonsense", "203.0.113.1").await, 429);
    assert_eq!(status(&app, &token, "203.0.113.1").await, 200);
}

/// Beyond the limit as below it, one answer covers all reasons.
#[tokio::test(flavor = "multi_thread")]
async fn all_reasons_are_still_one_answer() {
    let app = limited(1, 1000).await;
    let token = asker(&app).await.secret;
    let expiry = json!({ "expiry": app.in_time(TimeDelta::seconds(30)) });
    let expired = made(&app, "expired", expiry).await.secret;
    let deleted = made(&app, "deleted", json!({})).await;
    let delete = format!(
        "mutation {{ deleteApiToken(input: {{ id: \"{}\" }}) {{ __typename }} }}",
        deleted.id
    );
    app.query(&app.admin, &delete).await.data();
    app.clock.advance(TimeDelta::seconds(30));
    assert_eq!(status(&app, "nonsense", "192.0.2.1").await, 401);
    for secret in ["nonsense", &unknown(&app), &wrong(&token), &expired, &deleted.secret] {
        assert_eq!(status(&app, secret, "192.0.2.1").await, 429);
    }
    let elsewhere = json!({ "allowedAddresses": ["203.0.113.1"] });
    let elsewhere = made(&app, "elsewhere", elsewhere).await.secret;
    assert_eq!(status(&app, &elsewhere, "192.0.2.1").await, 403, "its secret is proven");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_surface_counts_and_tells() {
    let app = limited(1, 1000).await;
    let token = asker(&app).await.secret;
    let form = |path: &str, body: String| {
        let request = app.http.post(format!("http://{}{path}", app.address));
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    };
    let graphql = || app.post().body(json!({ "query": "{ __typename }" }).to_string());
    let introspect = "/oauth2/introspect";
    let authorize = app.http.get(format!("http://{}/authorize", app.address));
    let surfaces = [
        ("graphql", graphql().bearer_auth("x")),
        ("authorize", authorize.bearer_auth("x")),
        ("bearer", form(introspect, String::new()).bearer_auth("x")),
        ("basic", form(introspect, String::new()).basic_auth("", Some("x"))),
        ("revoke", form("/oauth2/revoke", "token=x".to_owned())),
        (
            "introspect",
            form(introspect, "token=x&client_address=192.0.2.1".to_owned()).bearer_auth(&token),
        ),
    ];
    assert_eq!(status(&app, "x", "192.0.2.1").await, 401);
    for (name, request) in surfaces {
        let answer = sent(request, "192.0.2.1").await;
        assert_eq!(answer.status, 429, "{name}: {}", answer.text);
        let seconds: u32 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "{name}: {seconds}");
    }
    let limited = sent(graphql().bearer_auth("x"), "192.0.2.1").await;
    assert_eq!(limited.errors(), ["RATE_LIMITED failed_proofs"]);
    assert!(limited.json["errors"][0]["extensions"]["retryAfter"].is_number());
    // What is verified counts for the client that showed it.
    let input = json!({ "token": "x", "clientAddress": "192.0.2.1" });
    let query = "mutation ($input: VerifyApiTokenInput!) { verifyApiToken(input: $input) { \
                 active reason retryAfter } }";
    let answer = app.graphql(&token, query, json!({ "input": input })).await;
    let told = &answer.data()["verifyApiToken"];
    assert_eq!((&told["active"], &told["reason"]), (&json!(false), &json!("TOO_MANY_FAILURES")));
    assert!(told["retryAfter"].is_number());
}

/// The end of a token must not wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_secret_is_revoked_beyond_the_limit() {
    let app = limited(1, 1000).await;
    let disabled = made(&app, "disabled", json!({})).await;
    app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'disabled'");
    for _ in 0..2 {
        status(&app, "nonsense", "192.0.2.1").await;
    }
    let request = app.http.post(format!("http://{}/oauth2/revoke", app.address));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = sent(request.body(format!("token={}", disabled.secret)), "192.0.2.1").await;
    assert_eq!(answer.status, 200);
    let left =
        "SELECT name AS text FROM api_tokens WHERE name = 'disabled' AND deleted_date IS NULL";
    assert!(app.database.texts(left).is_empty());
}
