//! What the policy refuses is refused on every surface, from the next request on, whichever process
//! changed it; and it is one answer with every other token that is not valid.

use chrono::TimeDelta;
use serde_json::json;

use super::{Told, VERIFY, authorized, came, input, introspected, verification};
use crate::support::{Envoy, Made, Said, TestApp, eventually, made, set_policy, works};

/// What each surface says of a token, and the reason where it is told.
async fn everywhere(app: &TestApp, envoy: &Envoy, asker: &Made, secret: &str) -> Vec<Told> {
    let told = |is_allowed| if is_allowed { Told::Allowed } else { Told::Invalid };
    let target = format!("http://{}/authorize?permission=api.organizations.read", app.address);
    let code = "api.organizations.read";
    let verify = json!({ "input": input(secret, &[code], None) });
    let answer = app.graphql(&asker.secret, VERIFY, verify).await;
    vec![
        told(works(app, secret).await),
        authorized(app.http.get(target).bearer_auth(secret)).await,
        told(introspected(app, &asker.secret, secret, &[code], None).await),
        verification(&answer.data()["verifyApiToken"]),
        came(&envoy.ask(&Said::bearer(secret, code)).await),
    ]
}

async fn reason(app: &TestApp, asker: &Made, secret: &str) -> String {
    let verify = json!({ "input": input(secret, &[], None) });
    let answer = app.graphql(&asker.secret, VERIFY, verify).await;
    answer.data()["verifyApiToken"]["reason"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_refuses_from_the_next_request_on_until_it_is_relaxed() {
    let app = TestApp::start().await;
    let envoy = Envoy::of(&app).await;
    let old = made(&app, "old", json!({})).await;
    let asker = |name| {
        let permissions = ["API_API_TOKENS_READ"];
        let more = json!({ "permissions": permissions, "allowedAddresses": ["127.0.0.0/8"] });
        made(&app, name, more)
    };
    let first = asker("first").await;
    let allowed = vec![Told::Allowed; 5];
    assert_eq!(everywhere(&app, &envoy, &first, &old.secret).await, allowed);
    app.clock.advance(TimeDelta::hours(2));
    let asker = asker("asker").await;
    let rules: [(&[&str], &[&str], &str); 3] = [
        (&["--idle", "1h"], &["--idle", "off"], "POLICY_IDLE"),
        (
            &["--max-lifetime", "1h", "--max-lifetime-scope", "all"],
            &["--max-lifetime-scope", "off"],
            "POLICY_MAX_LIFETIME",
        ),
        (
            &["--allowed-addresses-scope", "all"],
            &["--allowed-addresses-scope", "off"],
            "POLICY_ALLOWED_ADDRESSES",
        ),
    ];
    for (strict, relaxed, expected) in rules {
        set_policy(&app, strict);
        let told = everywhere(&app, &envoy, &asker, &old.secret).await;
        assert_eq!(told, [Told::Invalid; 5], "{expected}");
        assert_eq!(reason(&app, &asker, &old.secret).await, expected);
        set_policy(&app, relaxed);
        let told = everywhere(&app, &envoy, &asker, &old.secret).await;
        assert_eq!(told, allowed, "{expected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_holder_can_still_revoke_a_token_that_the_policy_refuses() {
    let app = TestApp::start().await;
    let token = made(&app, "found", json!({})).await;
    set_policy(&app, &["--allowed-addresses-scope", "all", "--force"]);
    assert!(!works(&app, &token.secret).await);
    let request = app.http.post(format!("http://{}/oauth2/revoke", app.address));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(format!("token={}", token.secret)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let deleted = "SELECT name AS text FROM api_tokens WHERE deleted_date IS NOT NULL";
    eventually("it is deleted", || app.database.texts(deleted) == ["found"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_tells_the_end_that_counts() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let end = async || {
        let request = app.http.post(format!("http://{}/oauth2/introspect", app.address));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.bearer_auth(&app.admin).body(format!("token={}", token.secret));
        let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
        answer["exp"].as_i64().unwrap() - answer["iat"].as_i64().unwrap()
    };
    let before = end().await;
    assert!(before > 29 * 86_400, "{before}");
    set_policy(&app, &["--max-lifetime", "1d", "--max-lifetime-scope", "all"]);
    assert_eq!(end().await, 86_400);
}
