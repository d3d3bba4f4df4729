//! Tokens that tests make, and what the database holds of them.

use serde_json::Value;

use super::TestApp;

/// An id that no token has.
pub const UNKNOWN_TOKEN: &str = "tok_00000000000000000000zz";

/// A token and what it is known by.
pub struct Made {
    pub secret: String,
    pub id: String,
    pub user_id: String,
}

/// A token that the administrator makes.
pub async fn made(app: &TestApp, name: &str, more: Value) -> Made {
    let answer = app.create(&app.admin, app.input(name, more)).await;
    Made::of(&answer.data()["createApiToken"])
}

impl Made {
    /// The token of a payload that shows its secret.
    pub fn of(payload: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            secret: text(&payload["token"]),
            id: text(&payload["apiToken"]["id"]),
            user_id: text(&payload["apiToken"]["userId"]),
        }
    }
}

/// May the secret still be used?
pub async fn works(app: &TestApp, secret: &str) -> bool {
    let answer = app.query(secret, "{ __typename }").await;
    if answer.status != 200 {
        assert_eq!(answer.status, 401);
        assert_eq!(answer.errors(), ["UNAUTHENTICATED invalid_token"]);
    }
    answer.status == 200
}

/// All that is stored: tokens, users and audit events.
pub fn stored(app: &TestApp) -> Vec<String> {
    let tables = ["api_tokens", "users", "audit_events"];
    tables.iter().flat_map(|table| app.database.rows(table)).collect()
}
