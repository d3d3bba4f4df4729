//! Tokens that tests make, and what the database holds of them.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokenwright::domain::clock::{Clock, SystemClock};

use super::{Binary, Server, TestApp, assert_ended};

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

/// A token that an administrator makes at a server, for a month.
pub async fn made_at(server: &Server, admin: &str, name: &str) -> Made {
    let create = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) \
                  { token apiToken { id userId } } }";
    let input = json!({
        "name": name,
        "expiry": (SystemClock.now() + TimeDelta::days(30)).to_rfc3339(),
        "permissions": ["API_ORGANIZATIONS_READ"],
    });
    let answer = server.graphql(admin, create, json!({ "input": input })).await;
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

/// May the secret still be used at this server?
pub async fn works_at(server: &Server, secret: &str) -> bool {
    let answer = server.graphql(secret, "{ currentApiToken { id } }", json!({})).await;
    assert!([200, 401].contains(&answer.status.as_u16()), "{}", answer.text);
    answer.status == 200
}

/// Changes the policy, as another process does it.
#[track_caller]
pub fn set_policy(app: &TestApp, change: &[&str]) {
    let set = Binary::on(&app.database, &["admin", "policy", "set"]).args(change);
    assert_ended(&set.run(), 0, "");
}

/// All that is stored: tokens, users and audit events.
pub fn stored(app: &TestApp) -> Vec<String> {
    let tables = ["api_tokens", "users", "audit_events"];
    tables.iter().flat_map(|table| app.database.rows(table)).collect()
}
