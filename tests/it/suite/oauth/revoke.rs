//! RFC 7009.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::{REVOKE, posting, refusal, sent};
use crate::support::{Made, TestApp, made, stored, works};

async fn revoked(app: &TestApp, token: &str) -> u16 {
    let answer = sent(posting(app, REVOKE, &[("token", token)])).await;
    assert_eq!(answer.text, "", "{}", answer.status);
    answer.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_a_token_ends_it_in_the_name_of_its_user() {
    let app = TestApp::start().await;
    let token = made(&app, "leaked", json!({})).await;
    assert!(works(&app, &token.secret).await);
    let form = [("token", token.secret.as_str()), ("token_type_hint", "access_token")];
    let answer = sent(posting(&app, REVOKE, &form)).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
    assert!(!works(&app, &token.secret).await, "the very next request");
    let query = "{ auditEvents(first: 1) { nodes { action targetId clientAddress requestId \
                 actor { userId userName } actorApiTokenId changes { field } } } }";
    let events = app.query(&app.admin, query).await;
    assert_eq!(
        events.data()["auditEvents"]["nodes"],
        json!([{
            "action": "API_TOKEN_DELETED",
            "targetId": token.id,
            "clientAddress": "127.0.0.1",
            "requestId": answer.header("x-request-id"),
            "actor": { "userId": token.user_id, "userName": "leaked" },
            "actorApiTokenId": token.id,
            "changes": [],
        }])
    );
}

/// A secret that was found somewhere is ended whatever its token may do, and from wherever.
#[tokio::test(flavor = "multi_thread")]
async fn it_needs_nothing_but_the_secret() {
    let app = TestApp::start().await;
    let expiry = json!({ "expiry": app.in_time(TimeDelta::seconds(60)) });
    let expired = made(&app, "expired", expiry).await;
    app.clock.advance(TimeDelta::seconds(60));
    let elsewhere = made(&app, "elsewhere", json!({ "allowedAddresses": ["192.0.2.1"] })).await;
    let disabled = made(&app, "disabled", json!({})).await;
    let disable = format!(
        "mutation {{ updateApiToken(input: {{ id: \"{}\", version: 1, enabled: false }}) \
         {{ apiToken {{ id }} }} }}",
        disabled.id
    );
    app.query(&app.admin, &disable).await.data();
    for token in [&expired, &elsewhere, &disabled] {
        assert!(is_there(&app, token).await);
        assert_eq!(revoked(&app, &token.secret).await, 200);
        assert!(!is_there(&app, token).await);
    }
}

/// The secret of a token from before there were tags is compared only while the token may be used:
/// whoever asks about ended ones must cost nothing.
#[tokio::test(flavor = "multi_thread")]
async fn of_tokens_from_before_tags_only_the_usable_are_revoked() {
    let app = TestApp::start().await;
    let usable = made(&app, "usable", json!({})).await;
    let disabled = made(&app, "disabled", json!({})).await;
    drop(app.database.change(&usable.id, "secret_tag = NULL"));
    drop(app.database.change(&disabled.id, "secret_tag = NULL, enabled = FALSE"));
    for (token, is_revoked) in [(&usable, true), (&disabled, false)] {
        let wrong = crate::suite::authentication::wrong(&token.secret);
        assert_eq!(revoked(&app, &wrong).await, 200);
        assert!(is_there(&app, token).await);
        assert_eq!(revoked(&app, &token.secret).await, 200);
        assert_eq!(is_there(&app, token).await, !is_revoked);
    }
}

async fn is_there(app: &TestApp, token: &Made) -> bool {
    let query = format!("{{ apiToken(id: \"{}\") {{ id }} }}", token.id);
    app.query(&app.admin, &query).await.json["data"]["apiToken"]["id"].is_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_is_revoked_already() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let deleted = made(&app, "deleted", json!({})).await.secret;
    assert_eq!(revoked(&app, &deleted).await, 200);
    let before = stored(&app);
    let wrong = crate::suite::authentication::wrong(&token.secret);
    let unknown = crate::suite::authentication::unknown(&app);
    for secret in ["nonsense", &wrong, &unknown, &deleted, &token.id] {
        assert_eq!(revoked(&app, secret).await, 200, "{secret}");
    }
    assert_eq!(stored(&app), before, "nothing was done");
    assert!(works(&app, &token.secret).await);
}

/// No header of the request is a way to end another token.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_form_names_a_token() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await.secret;
    let url = format!("http://{}{REVOKE}", app.address);
    for (request, expected) in [
        (posting(&app, REVOKE, &[]).bearer_auth(&token), (400, "invalid_request")),
        (posting(&app, &format!("{REVOKE}?token={token}"), &[]), (400, "invalid_request")),
        (posting(&app, REVOKE, &[("token", &token), ("token", "x")]), (400, "invalid_request")),
        (app.http.post(&url).json(&json!({ "token": token })), (400, "invalid_request")),
        (app.http.get(format!("{url}?token={token}")), (405, "method_not_allowed")),
        (app.http.request(Method::DELETE, &url).bearer_auth(&token), (405, "method_not_allowed")),
    ] {
        assert_eq!(refusal(&sent(request).await), expected);
    }
    assert!(works(&app, &token).await);
    // Credentials that come as well say nothing.
    let request = posting(&app, REVOKE, &[("token", &token)]).basic_auth("client", Some("x"));
    assert_eq!(sent(request).await.status, 200);
    assert!(!works(&app, &token).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_was_not_stored_is_not_acknowledged() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await.secret;
    app.database.execute("ALTER TABLE audit_events RENAME TO gone");
    let answer = sent(posting(&app, REVOKE, &[("token", &token)])).await;
    assert_eq!(refusal(&answer), (503, "temporarily_unavailable"));
    app.database.execute("ALTER TABLE gone RENAME TO audit_events");
    assert!(works(&app, &token).await, "nothing half done");
}
