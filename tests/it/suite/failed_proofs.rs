//! The limit on failed proofs: by client address and overall, never by token.

use chrono::TimeDelta;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokenwright::service::FailureLimits;

use super::authentication::{unknown, wrong};
use crate::support::{Answer, Envoy, Made, Options, Said, TestApp, made};

const SURFACES: usize = 10;
const VERIFY: &str = "mutation ($input: VerifyApiTokenInput!) { \
                      verifyApiToken(input: $input) { reason retryAfter } }";
const VERIFY_ALL: &str = "mutation ($input: VerifyApiTokensInput!) { \
                          verifyApiTokens(input: $input) { verifications { reason retryAfter } } }";

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

/// A surface, and what it says of a secret that is not valid.
struct Told {
    surface: &'static str,
    is_limited: bool,
    /// In seconds.
    retry_after: Option<u32>,
}

/// What every surface says to this client, who may ask with a token of its own where it must.
async fn told_everywhere(app: &TestApp, own: &str, client: &str, only: Option<usize>) -> Vec<Told> {
    let form = |path: &str, body: String| {
        let request = app.http.post(format!("http://{}{path}", app.address));
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    };
    let graphql = || app.post().body(json!({ "query": "{ __typename }" }).to_string());
    let introspect = "/oauth2/introspect";
    let authorize = |path: &str| app.http.get(format!("http://{}{path}", app.address));
    let about = |query: &str, input: Value| {
        let body = json!({ "query": query, "variables": { "input": input } }).to_string();
        app.post().bearer_auth(own).body(body)
    };
    let one = json!({ "token": "x", "clientAddress": client });
    let requests = [
        ("GraphQL", graphql().bearer_auth("x")),
        ("/authorize", authorize("/authorize").bearer_auth("x")),
        ("/authorize by path", authorize("/authorize/permissions/x/").bearer_auth("x")),
        ("introspection by Bearer", form(introspect, String::new()).bearer_auth("x")),
        ("introspection by Basic", form(introspect, String::new()).basic_auth("", Some("x"))),
        ("revocation", form("/oauth2/revoke", "token=x".to_owned())),
        (
            "introspection",
            form(introspect, format!("token=x&client_address={client}")).bearer_auth(own),
        ),
        ("verifyApiToken", about(VERIFY, one.clone())),
        ("verifyApiTokens", about(VERIFY_ALL, json!({ "tokens": [one] }))),
    ];
    let count = requests.len();
    let mut told = Vec::new();
    for (place, (surface, request)) in requests.into_iter().enumerate() {
        if only.is_some_and(|only| only != place) {
            continue;
        }
        let answer = sent(request, client).await;
        let text = answer.text.as_str();
        let is_limited = answer.status == 429 || text.contains("TOO_MANY_FAILURES");
        let header = answer.header("retry-after").parse().ok();
        let in_body = text.split_once("\"retryAfter\":").and_then(|(_, after)| {
            after.split(['}', ',']).next().and_then(|seconds| seconds.parse().ok())
        });
        told.push(Told { surface, is_limited, retry_after: header.or(in_body) });
    }
    if only.is_none_or(|only| only == count) {
        let said = Said::bearer("x", "api.organizations.read").from(client);
        let answer = Envoy::of(app).await.ask(&said).await;
        let retry_after = answer.header("retry-after").map(|seconds| seconds.parse().unwrap());
        told.push(Told { surface: "gRPC", is_limited: answer.status == 429, retry_after });
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn every_surface_tells() {
    let app = limited(1, 1000).await;
    let own = asker(&app).await.secret;
    assert_eq!(status(&app, "x", "192.0.2.1").await, 401);
    let told = told_everywhere(&app, &own, "192.0.2.1", None).await;
    assert_eq!(told.len(), SURFACES);
    for Told { surface, is_limited, retry_after } in told {
        assert!(is_limited, "{surface}");
        assert!(retry_after.is_some_and(|seconds| (1..=60).contains(&seconds)), "{surface}");
    }
    let graphql =
        app.post().bearer_auth("x").body(json!({ "query": "{ __typename }" }).to_string());
    assert_eq!(sent(graphql, "192.0.2.1").await.errors(), ["RATE_LIMITED failed_proofs"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_surface_counts_for_the_client() {
    let app = limited(1, 1000).await;
    let own = asker(&app).await.secret;
    for surface in 0..SURFACES {
        let client = format!("192.0.2.{surface}");
        let told = told_everywhere(&app, &own, &client, Some(surface)).await;
        let [Told { surface, is_limited, .. }] = told.as_slice() else { panic!() };
        assert!(!is_limited, "{surface}: the first one");
        assert_eq!(status(&app, "x", &client).await, 429, "{surface} counts");
        assert_eq!(status(&app, &own, &client).await, 200, "a proven secret is never limited");
    }
    assert_eq!(status(&app, "x", "203.0.113.1").await, 401, "for nobody else");
}

/// Envoy says who the client is only where it is believed.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_trusted_proxy_fails_for_itself() {
    let failures = FailureLimits { per_address: 1, overall: 1000 };
    let app = TestApp::with(Options { failures, ..Options::default() }).await;
    let envoy = Envoy::of(&app).await;
    for (client, status) in [("192.0.2.1", 401), ("192.0.2.2", 429), ("192.0.2.3", 429)] {
        let said = Said::bearer("x", "api.organizations.read").from(client);
        assert_eq!(envoy.ask(&said).await.status, status, "{client}");
    }
    let good = Said::bearer(&app.admin, "api.organizations.read");
    assert_eq!(envoy.ask(&good).await.status, 200);
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
