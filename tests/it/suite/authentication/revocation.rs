//! What is taken away from a token is gone with the next request.

use chrono::TimeDelta;
use serde_json::json;
use tokenwright::domain::clock::Clock;

use super::{assert_invalid, status, used, who};
use crate::support::{TestApp, TestDatabase};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_refused_from_its_expiry_on() {
    let app = TestApp::start().await;
    let expiry = app.clock.now() + TimeDelta::days(1);
    let input = app.input("short", json!({ "expiry": expiry.to_rfc3339() }));
    let secret = app.secret(&app.admin, input).await;
    let micros = TestDatabase::micros("expiry");
    let stored =
        format!("SELECT CAST({micros} AS TEXT) AS text FROM api_tokens WHERE name = 'short'");
    assert_eq!(app.database.texts(&stored), [expiry.timestamp_micros().to_string()]);

    app.clock.stop_at(expiry - TimeDelta::microseconds(1));
    assert_eq!(status(&app, &secret).await, 200);
    app.clock.stop_at(expiry);
    assert_invalid(&who(&app, &[&format!("Bearer {secret}")]).await);
    app.clock.stop_at(expiry + TimeDelta::days(1));
    assert_eq!(status(&app, &secret).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_is_gone_with_the_next_request() {
    let app = TestApp::start().await;
    let secret = used(&app, "ci").await;
    let later = "(SELECT max(expiry) FROM api_tokens)";
    for (gone, back) in [
        ("api_tokens SET enabled = FALSE", "api_tokens SET enabled = TRUE"),
        ("api_tokens SET deleted_date = creation_date", "api_tokens SET deleted_date = NULL"),
        ("users SET enabled = FALSE", "users SET enabled = TRUE"),
        ("api_tokens SET expiry = creation_date", &format!("api_tokens SET expiry = {later}")),
    ] {
        app.database.execute(&format!("UPDATE {gone} WHERE name = 'ci'"));
        assert_eq!(status(&app, &secret).await, 401, "{gone}");
        app.database.execute(&format!("UPDATE {back} WHERE name = 'ci'"));
        assert_eq!(status(&app, &secret).await, 200, "{back}");
    }
    let elsewhere = TestDatabase::list(&["10.0.0.0/8"]);
    app.database.execute(&format!(
        "UPDATE api_tokens SET allowed_addresses = {elsewhere} WHERE name = 'ci'"
    ));
    assert_eq!(status(&app, &secret).await, 403);
    app.database.execute("DELETE FROM api_tokens WHERE name = 'ci'");
    assert_eq!(status(&app, &secret).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_taken_away_is_gone_with_the_next_request() {
    let app = TestApp::start().await;
    let input = app.input("ci", json!({ "permissions": ["API_API_TOKENS_WRITE"] }));
    let secret = app.secret(&app.admin, input).await;
    let attempt = async |name: &str| {
        let input = json!({ "permissions": ["API_API_TOKENS_WRITE"] });
        app.create(&secret, app.input(name, input)).await.errors()
    };
    assert!(attempt("before").await.is_empty());
    let fewer = TestDatabase::list(&["api.organizations.read"]);
    app.database.execute(&format!("UPDATE api_tokens SET permissions = {fewer} WHERE name = 'ci'"));
    assert_eq!(attempt("after").await, ["FORBIDDEN permission_missing"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remembered_proof_is_worth_nothing_for_another_hash() {
    let app = TestApp::start().await;
    let (ci, other) = (used(&app, "ci").await, used(&app, "other").await);
    // Without a tag, the hash alone decides.
    app.database.execute(
        "UPDATE api_tokens SET secret_tag = NULL WHERE name = 'ci';
         CREATE TABLE kept AS SELECT secret_hash FROM api_tokens WHERE name = 'ci';
         UPDATE api_tokens SET secret_hash = (SELECT secret_hash FROM api_tokens WHERE name = 'other')
         WHERE name = 'ci'",
    );
    assert_eq!(status(&app, &ci).await, 401);
    assert_eq!(status(&app, &other).await, 200);
    app.database.execute(
        "UPDATE api_tokens SET secret_hash = (SELECT secret_hash FROM kept) WHERE name = 'ci'",
    );
    assert_eq!(status(&app, &ci).await, 200);
}
