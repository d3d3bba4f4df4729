//! What a revoked token tries to do.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::TestApp;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Query,
    Create,
    Update,
    Renew,
    Delete,
}

impl Operation {
    pub const ALL: [Self; 5] = [Self::Query, Self::Create, Self::Update, Self::Renew, Self::Delete];
    pub const MUTATIONS: [Self; 4] = [Self::Create, Self::Update, Self::Renew, Self::Delete];

    /// The body of a request that does it, on a token at version 1.
    pub fn body(self, app: &TestApp, target: &str, name: &str) -> Value {
        let document = match self {
            Self::Query => "query { apiTokens { nodes { name } } auditEvents { nodes { id } } }",
            Self::Create => {
                "mutation ($create: CreateApiTokenInput!) {
                    createApiToken(input: $create) { token } }"
            }
            Self::Update => {
                "mutation ($update: UpdateApiTokenInput!) {
                    updateApiToken(input: $update) { apiToken { id } } }"
            }
            Self::Renew => {
                "mutation ($renew: RenewApiTokenInput!) { renewApiToken(input: $renew) { token } }"
            }
            Self::Delete => {
                "mutation ($delete: DeleteApiTokenInput!) {
                    deleteApiToken(input: $delete) { deletedApiTokenId } }"
            }
        };
        let expiry = app.in_time(TimeDelta::days(3));
        let variables = match self {
            Self::Query => json!({}),
            Self::Create => json!({ "create": app.input(name, json!({ "expiry": expiry })) }),
            Self::Update => json!({ "update": { "id": target, "version": 1, "name": name } }),
            Self::Renew => json!({ "renew": { "id": target, "expiry": expiry, "name": name } }),
            Self::Delete => json!({ "delete": { "id": target } }),
        };
        json!({ "query": document, "variables": variables })
    }
}
