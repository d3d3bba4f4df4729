//! RFC 7662.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use tokenwright::domain::clock::Clock;

use super::{INTROSPECT, posting, refusal, sent};
use crate::support::{Answer, Made, Options, TestApp, made};

/// A token that may ask.
async fn asker(app: &TestApp) -> String {
    made(app, "asker", json!({ "permissions": ["API_API_TOKENS_READ"] })).await.secret
}

async fn introspected(app: &TestApp, by: &str, form: &[(&str, &str)]) -> Answer {
    sent(posting(app, INTROSPECT, form).bearer_auth(by)).await
}

async fn is_active(app: &TestApp, by: &str, form: &[(&str, &str)]) -> bool {
    let answer = introspected(app, by, form).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    match answer.json["active"].as_bool().unwrap() {
        false => {
            assert_eq!(answer.json, json!({ "active": false }), "and nothing else");
            false
        }
        true => true,
    }
}

async fn target(app: &TestApp, more: Value) -> Made {
    let permissions = json!({ "permissions": ["API_USERS_READ", "API_ORGANIZATIONS_READ"] });
    let mut input = permissions;
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made(app, "target", input).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_active_token_is_described() {
    let public_url = Some("https://tokens.example/a/");
    let app = TestApp::with(Options { public_url, ..Options::default() }).await;
    // The answer has seconds, of which another may begin meanwhile.
    app.clock.stop_at(app.clock.now());
    let by = asker(&app).await;
    let expiry = app.in_time(TimeDelta::days(1));
    let labels = json!([{ "key": "tenant", "value": "acme, Inc." }]);
    let token =
        target(&app, json!({ "expiry": expiry, "description": "For the shop.", "labels": labels }))
            .await;
    let answer = introspected(&app, &by, &[("token", &token.secret)]).await;
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    let now = app.clock.now().timestamp();
    assert_eq!(
        answer.json,
        json!({
            "active": true,
            "scope": "api.organizations.read api.users.read",
            "client_id": token.id,
            "username": "target",
            "token_type": "Bearer",
            "exp": now + 24 * 60 * 60,
            "iat": now,
            "sub": token.user_id,
            "iss": "https://tokens.example/a/",
            "description": "For the shop.",
            "labels": { "tenant": "acme, Inc." },
        })
    );
    let nameless = TestApp::start().await;
    let answer = introspected(&nameless, &nameless.admin, &[("token", &nameless.admin)]).await;
    assert_eq!((&answer.json["active"], &answer.json["iss"]), (&json!(true), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_active_says_nothing_else() {
    let app = TestApp::start().await;
    let by = asker(&app).await;
    let expiry = app.in_time(TimeDelta::seconds(60));
    let expired = made(&app, "expired", json!({ "expiry": expiry })).await.secret;
    app.clock.advance(TimeDelta::seconds(60));
    let token = target(&app, json!({})).await;
    let bound = json!({ "allowedAddresses": ["192.0.2.0/24", "2001:db8::/64"] });
    let bound = made(&app, "bound", bound).await.secret;
    let secret = token.secret.as_str();
    for (form, active) in [
        (vec![("token", secret)], true),
        (vec![("token", secret), ("token_type_hint", "refresh_token"), ("x", "y")], true),
        (vec![("token", secret), ("client_address", "192.0.2.1")], true),
        (vec![("token", secret), ("client_address", "")], true),
        (vec![("token", secret), ("required_scope", "api.users.read")], true),
        (vec![("token", secret), ("required_scope", " api.users.read  api.users.read ")], true),
        (vec![("token", secret), ("required_scope", "")], true),
        (vec![("token", secret), ("required_scope", "api.users.read api.users.write")], false),
        (vec![("token", &bound)], false),
        (vec![("token", &bound), ("client_address", "192.0.2.1")], true),
        (vec![("token", &bound), ("client_address", "::ffff:192.0.2.1")], true),
        (vec![("token", &bound), ("client_address", "2001:db8::7")], true),
        (vec![("token", &bound), ("client_address", "192.0.3.1")], false),
        (vec![("token", "nonsense")], false),
        (vec![("token", &expired)], false),
    ] {
        assert_eq!(is_active(&app, &by, &form).await, active, "{form:?}");
    }
    let delete = format!(
        "mutation {{ deleteApiToken(input: {{ id: \"{}\" }}) {{ deletedApiTokenId }} }}",
        token.id
    );
    app.query(&app.admin, &delete).await.data();
    assert!(!is_active(&app, &by, &[("token", secret)]).await, "deleted a moment ago");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_comes_as_bearer_or_as_the_password_of_basic() {
    let app = TestApp::start().await;
    let by = asker(&app).await;
    let token = target(&app, json!({})).await.secret;
    let request = || posting(&app, INTROSPECT, &[("token", &token)]);
    for user in ["", "anything", "tok_0", "ä"] {
        let answer = sent(request().basic_auth(user, Some(&by))).await;
        assert_eq!(answer.json["active"], true, "{user}");
    }
    let powerless = made(&app, "powerless", json!({})).await.secret;
    let elsewhere = json!({
        "permissions": ["API_API_TOKENS_READ"], "allowedAddresses": ["192.0.2.1"]
    });
    let elsewhere = made(&app, "elsewhere", elsewhere).await.secret;
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
    let bearer = |text: &str| format!("Bearer {text}");
    for (line, expected) in [
        ("", (401, "invalid_client")),
        (&basic(&format!("user:{token}x")), (401, "invalid_client")),
        (&basic(&by), (400, "invalid_request")),
        (&basic(&format!("{by}:")), (400, "invalid_request")),
        ("Basic !", (400, "invalid_request")),
        ("Basic", (400, "invalid_request")),
        ("Digest x", (401, "invalid_client")),
        (&bearer("nonsense"), (401, "invalid_client")),
        (&bearer(&powerless), (403, "insufficient_scope")),
        (&basic(&format!(":{powerless}")), (403, "insufficient_scope")),
        (&bearer(&elsewhere), (403, "address_not_allowed")),
    ] {
        let request =
            if line.is_empty() { request() } else { request().header("authorization", line) };
        let answer = sent(request).await;
        assert_eq!(refusal(&answer), expected, "{line}");
        let challenges: Vec<&str> = answer
            .headers
            .get_all("www-authenticate")
            .iter()
            .map(|c| c.to_str().unwrap())
            .collect();
        match expected.0 {
            401 => {
                assert_eq!(challenges.len(), 2, "{challenges:?}");
                assert!(
                    challenges[0].starts_with("Bearer ") && challenges[1].starts_with("Basic ")
                );
            }
            403 if line == bearer(&powerless) => {
                assert!(challenges[0].contains("scope=\"api.api-tokens.read\""), "{challenges:?}");
            }
            _ => {}
        }
    }
    // Everywhere else only Bearer counts.
    let answer = app.post().basic_auth("", Some(&by)).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_faults_says_which() {
    let app = TestApp::start().await;
    let by = asker(&app).await;
    let token = target(&app, json!({})).await.secret;
    let secret = token.as_str();
    for (form, expected) in [
        (vec![], (400, "invalid_request")),
        (vec![("token", "")], (400, "invalid_request")),
        (vec![("token", secret), ("token", secret)], (400, "invalid_request")),
        (vec![("token", secret), ("x", "1"), ("x", "1")], (400, "invalid_request")),
        (vec![("token", secret), ("client_address", "localhost")], (400, "invalid_request")),
        (vec![("token", secret), ("client_address", "192.0.2.0/24")], (400, "invalid_request")),
        (vec![("token", secret), ("client_address", "192.0.2.01")], (400, "invalid_request")),
        (vec![("token", secret), ("client_address", "fe80::1%1")], (400, "invalid_request")),
        (vec![("token", secret), ("required_scope", "api.users.reed")], (400, "invalid_scope")),
        (vec![("token", secret), ("required_scope", "API_USERS_READ")], (400, "invalid_scope")),
    ] {
        let answer = introspected(&app, &by, &form).await;
        assert_eq!(refusal(&answer), expected, "{form:?}");
        assert!(!answer.text.contains(secret));
    }
    let url = format!("http://{}{INTROSPECT}", app.address);
    let body = format!("token={secret}");
    for (content_type, body, status) in [
        ("application/json", body.clone(), 400),
        ("text/plain", body.clone(), 400),
        ("application/x-www-form-urlencoded; charset=UTF-8", body.clone(), 200),
        ("Application/X-WWW-Form-Urlencoded", body.clone(), 200),
        ("application/x-www-form-urlencoded", "x".repeat(100_000), 413),
    ] {
        let request = app.http.post(&url).bearer_auth(&by).header("content-type", content_type);
        assert_eq!(sent(request.body(body)).await.status, status, "{content_type}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = app.http.request(method, format!("{url}?token={secret}")).bearer_auth(&by);
        let answer = sent(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_nothing_is_active() {
    let app = TestApp::start().await;
    let by = asker(&app).await;
    let token = target(&app, json!({})).await.secret;
    assert!(is_active(&app, &by, &[("token", &token)]).await);
    app.database.execute("ALTER TABLE users RENAME TO gone");
    let answer = introspected(&app, &by, &[("token", &token)]).await;
    assert_eq!(refusal(&answer), (503, "temporarily_unavailable"));
    assert_ne!(answer.header("retry-after"), "");
}
