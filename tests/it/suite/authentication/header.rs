//! How the header is read: scheme, form, and nowhere else.

use serde_json::json;

use super::{
    WHO, assert_invalid, assert_missing, sent, status, unknown, who, with_wrong_checksum, wrong,
};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn the_scheme_is_read_in_any_case_and_before_any_number_of_spaces() {
    let app = TestApp::start().await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer ", "bearer    "] {
        let answer = who(&app, &[&format!("{scheme} {}", app.admin)]).await;
        assert!(answer.data()["currentUser"]["id"].is_string(), "{scheme}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_cannot_be_read_is_an_invalid_request() {
    let app = TestApp::start().await;
    let valid = format!("Bearer {}", app.admin);
    for lines in [
        &[valid.as_str(), valid.as_str()][..],
        &[&valid, "Basic dXNlcjpwYXNz"],
        &["Basic dXNlcjpwYXNz", &valid],
        &[&valid, ""],
        &["Bearer"],
        &["Bearer "],
        &["Bearer   "],
        &["bearer"],
        &[""],
        &["Bearer\ttwr_x"],
        &["Bearer é"],
    ] {
        let answer = who(&app, lines).await;
        assert_eq!(answer.status, 400, "{lines:?}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT invalid_request"]);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains(r#"error="invalid_request""#));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_schemes_and_no_credentials_are_told_of_no_error() {
    let app = TestApp::start().await;
    assert_missing(&who(&app, &[]).await);
    for line in ["Basic dXNlcjpwYXNz", "Negotiate", "Token twr_x", "Bearers x"] {
        assert_missing(&who(&app, &[line]).await);
    }
    assert_missing(&who(&app, &[&app.admin]).await);
    assert_missing(&who(&app, &[&format!("Token {}", app.admin)]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_quite_the_secret_is_refused() {
    let (app, elsewhere) = tokio::join!(TestApp::start(), TestApp::start());
    let secret = app.admin.as_str();
    assert_eq!(secret.len(), 76);
    for attempt in [
        "x".to_owned(),
        secret[..75].to_owned(),
        secret[1..].to_owned(),
        format!("{secret}0"),
        format!("{secret},{secret}"),
        format!("{secret}, Bearer {secret}"),
        format!("\"{secret}\""),
        secret.to_lowercase(),
        secret.to_uppercase(),
        secret.replace("twr_", "twx_"),
        with_wrong_checksum(secret),
        wrong(secret),
        unknown(&app),
        elsewhere.admin.clone(),
    ] {
        assert_invalid(&who(&app, &[&format!("Bearer {attempt}")]).await);
    }
    assert_eq!(status(&app, secret).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_counts_nowhere_but_in_its_header() {
    let app = TestApp::start().await;
    let token = app.admin.as_str();
    let by_get = format!("{}?query={{currentUser{{id}}}}", app.url());
    for name in ["access_token", "token", "authorization", "bearer_token"] {
        let in_query = app.http.get(format!("{by_get}&{name}={token}"));
        assert_missing(&sent(in_query).await);
        let url = format!("{}?{name}={token}", app.url());
        let in_query = app.http.post(url).header("content-type", "application/json");
        assert_missing(&sent(in_query.body(WHO)).await);
        let cookie = app.post().header("cookie", format!("{name}={token}"));
        assert_missing(&sent(cookie.body(WHO)).await);
        let in_body = json!({
            "query": "{ currentUser { id } }", name: token, "extensions": { name: token },
        });
        assert_missing(&sent(app.post().body(in_body.to_string())).await);
    }
    for name in ["x-api-key", "proxy-authorization", "x-access-token"] {
        let header = app.post().header(name, format!("Bearer {token}"));
        assert_missing(&sent(header.body(WHO)).await);
    }
}
