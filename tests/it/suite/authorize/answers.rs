//! The answers, one by one.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::{HAS, IDENTITY, asking, authorized, sent};
use crate::support::{Options, TestApp, exchange, made};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_passes_says_who_called() {
    let app = TestApp::start().await;
    let grant = json!({
        "permissions": ["API_USERS_READ", "API_ORGANIZATIONS_READ"],
        "labels": [
            { "key": "tenant", "value": "acme, Inc." },
            { "key": "env", "value": "" },
            { "key": "region", "value": "Zürich=1" },
        ],
    });
    let token = made(&app, "Büro 7, the \"second\"", grant).await;
    let answer = authorized(&app, &token.secret, HAS).await;
    assert_eq!(answer.status, 200);
    let told = IDENTITY.map(|name| answer.header(name));
    assert_eq!(
        told,
        [
            token.user_id.as_str(),
            "B%C3%BCro%207%2C%20the%20%22second%22",
            token.id.as_str(),
            "api.organizations.read api.users.read",
            "env=,region=Z%C3%BCrich%3D1,tenant=acme%2C%20Inc.",
        ],
        "permissions come in the order of the catalogue"
    );
    assert_eq!(answer.header("www-authenticate"), "");
    // What is changed is told with the next request.
    let change = format!(
        "mutation {{ updateApiToken(input: {{ id: \"{}\", version: 1, labels: [] }}) {{
            apiToken {{ version }} }} }}",
        token.id
    );
    app.query(&app.admin, &change).await.data();
    let answer = authorized(&app, &token.secret, HAS).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-tokenwright-labels")), (200, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_method_says_nothing() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    for method in
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "LOCK"]
    {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("http://{}{HAS}", app.address);
        let request = app.http.request(method.clone(), url);
        let passes = request.try_clone().unwrap().bearer_auth(&token.secret).send().await.unwrap();
        assert_eq!(passes.status(), 200, "{method}");
        assert_eq!(passes.headers()["x-tokenwright-user-id"], token.user_id.as_str(), "{method}");
        assert_eq!(request.send().await.unwrap().status(), 401, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_has_its_status_and_challenge() {
    let app = TestApp::start().await;
    let permissions = json!(["API_USERS_READ", "API_ORGANIZATIONS_READ"]);
    let token = made(&app, "ci", json!({ "permissions": permissions })).await.secret;
    let elsewhere = json!({ "allowedAddresses": ["192.0.2.1"] });
    let elsewhere = made(&app, "elsewhere", elsewhere).await.secret;
    let expiry = json!({ "expiry": app.in_time(TimeDelta::seconds(60)) });
    let expired = made(&app, "expired", expiry).await.secret;
    app.clock.advance(TimeDelta::seconds(60));
    let bearer = |token: &str| vec![format!("Bearer {token}")];
    let two = "/authorize?permission=api.users.write&permission=api.users.read";
    let invalid = "error=\"invalid_token\"";
    let request = "error=\"invalid_request\"";
    let scope = "error=\"insufficient_scope\", error_description=\"The token lacks a permission\", \
                 scope=\"api.users.read api.users.write\"";
    for (credentials, target, status, challenge) in [
        (vec![], HAS, 401, ""),
        (vec!["Basic dXNlcjpwYXNz".to_owned()], HAS, 401, ""),
        (vec!["Bearer".to_owned()], HAS, 400, request),
        (vec![bearer(&token)[0].clone(), bearer(&token)[0].clone()], HAS, 400, request),
        (bearer("nonsense"), HAS, 401, invalid),
        (bearer(&expired), HAS, 401, invalid),
        (bearer(&elsewhere), HAS, 403, "no challenge"),
        (bearer(&token), two, 403, scope),
        (bearer(&token), "/authorize?permission=api.users.nothing", 400, "no challenge"),
        (bearer(&token), "/authorize", 400, "no challenge"),
        (bearer(&token), HAS, 200, "no challenge"),
    ] {
        let request = credentials
            .iter()
            .fold(asking(&app, target), |request, line| request.header("authorization", line));
        let answer = sent(request).await;
        assert_eq!(answer.status, status, "{credentials:?} {target}");
        let told = answer.header("www-authenticate");
        match challenge {
            "no challenge" => assert_eq!(told, "", "{credentials:?} {target}"),
            "" => assert_eq!(told, "Bearer realm=\"tokenwright\""),
            _ => assert!(told.starts_with("Bearer ") && told.contains(challenge), "{told}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_nobody_passes() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await.secret;
    assert_eq!(authorized(&app, &token, HAS).await.status, 200);
    app.database.execute("ALTER TABLE users RENAME TO gone");
    let answer = authorized(&app, &token, HAS).await;
    assert_eq!(answer.status, 503);
    assert_ne!(answer.header("retry-after"), "");
}

/// Some gateways send the client's body, or announce it and send none.
#[tokio::test(flavor = "multi_thread")]
async fn no_body_is_waited_for() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await.secret;
    for body in ["Content-Length: 1000000", "Transfer-Encoding: chunked", "Expect: 100-continue"] {
        let head = format!(
            "POST {HAS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{body}\r\n\
             Connection: close\r\n\r\n"
        );
        let address = app.address;
        let exchanged = tokio::task::spawn_blocking(move || exchange(address, &[head.as_bytes()]));
        let answer = exchanged.await.unwrap();
        assert!(answer.contains("HTTP/1.1 200 OK\r\n"), "{body}: {answer}");
        assert!(answer.contains("\r\nx-tokenwright-labels: \r\n"), "{answer}");
    }
}

/// Nothing that a client sends comes back as something that we say.
#[tokio::test(flavor = "multi_thread")]
async fn forged_headers_change_nothing() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let forged = |request| {
        let names = IDENTITY.into_iter().chain(["x-original-uri", "x-permission", "permission"]);
        names.fold(request, |request: reqwest::RequestBuilder, name| {
            request.header(name, "api.api-tokens.write")
        })
    };
    let answer = sent(forged(asking(&app, HAS).bearer_auth(&token.secret))).await;
    assert_eq!(answer.status, 200);
    for (name, value) in &answer.headers {
        assert!(!value.to_str().unwrap().contains("write"), "{name}");
    }
    assert_eq!(answer.headers.get_all(IDENTITY[0]).iter().count(), 1);
    let refused = forged(asking(&app, "/authorize?permission=api.users.write"));
    assert_eq!(sent(refused.bearer_auth(&token.secret)).await.status, 403);
    assert_eq!(sent(forged(asking(&app, HAS))).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_use_and_its_address_are_noted() {
    let app = TestApp::with(Options {
        trusted_proxies: vec!["127.0.0.1/32"],
        last_use_interval: std::time::Duration::from_millis(10),
        ..Options::default()
    })
    .await;
    let token = made(&app, "ci", json!({})).await;
    let request = asking(&app, HAS).bearer_auth(&token.secret);
    assert_eq!(sent(request.header("x-forwarded-for", "192.0.2.9")).await.status, 200);
    let noted = format!(
        "SELECT last_used_address AS text FROM api_tokens WHERE name = 'ci' \
         AND last_used_address = '{}'",
        "192.0.2.9"
    );
    crate::support::eventually("the use is written", || !app.database.texts(&noted).is_empty())
        .await;
}
