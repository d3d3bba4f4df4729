//! Now means now, here as well.

use chrono::TimeDelta;
use serde_json::json;

use super::{HAS, status};
use crate::support::{TestApp, made};

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_power_away_holds_for_the_next_request() {
    let app = TestApp::start().await;
    let permissions = json!({ "permissions": ["API_USERS_READ", "API_ORGANIZATIONS_READ"] });
    for (change, expected) in [
        ("updateApiToken(input: { id: \"ID\", version: 1, enabled: false })", 401),
        ("updateApiToken(input: { id: \"ID\", version: 1, permissions: [API_USERS_READ] })", 403),
        (
            "updateApiToken(input: { id: \"ID\", version: 1, allowedAddresses: [\"192.0.2.1\"] })",
            403,
        ),
        ("deleteApiToken(input: { id: \"ID\" })", 401),
    ] {
        let token = made(&app, change, permissions.clone()).await;
        assert_eq!(status(&app, &token.secret, HAS).await, 200);
        let change = change.replace("ID", &token.id);
        app.query(&app.admin, &format!("mutation {{ {change} {{ __typename }} }}")).await.data();
        assert_eq!(status(&app, &token.secret, HAS).await, expected, "{change}");
    }
    let expiry = json!({ "expiry": app.in_time(TimeDelta::seconds(60)) });
    let token = made(&app, "short", expiry).await.secret;
    app.clock.advance(TimeDelta::seconds(59));
    assert_eq!(status(&app, &token, HAS).await, 200);
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(status(&app, &token, HAS).await, 401);
}
