//! How the power of a token ends.

use chrono::TimeDelta;
use serde_json::json;
use tokenwright::domain::clock::Clock;

use crate::support::{Made, TestApp, TestDatabase};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    Deletion,
    Disabling,
    FewerPermissions,
    FewerAddresses,
    EarlierExpiry,
    Expiry,
}

impl Revocation {
    pub const ALL: [Self; 6] = [
        Self::Deletion,
        Self::Disabling,
        Self::FewerPermissions,
        Self::FewerAddresses,
        Self::EarlierExpiry,
        Self::Expiry,
    ];

    /// How long the token lives that is to be revoked so.
    pub fn lifetime(self) -> TimeDelta {
        if self == Self::Expiry { TimeDelta::hours(1) } else { TimeDelta::days(20) }
    }

    /// Revokes a token at version 1, as the administrator.
    pub async fn acknowledged(self, app: &TestApp, token: &Made) {
        let soon = app.in_time(TimeDelta::minutes(1));
        let change = match self {
            Self::Deletion => {
                let delete = "mutation ($id: ID!) {
                    deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
                app.graphql(&app.admin, delete, json!({ "id": token.id })).await.data();
                return;
            }
            Self::Expiry => return app.clock.advance(TimeDelta::hours(2)),
            Self::Disabling => json!({ "enabled": false }),
            Self::FewerPermissions => json!({ "permissions": ["API_ORGANIZATIONS_READ"] }),
            Self::FewerAddresses => json!({ "allowedAddresses": ["10.0.0.0/8"] }),
            Self::EarlierExpiry => json!({ "expiry": soon }),
        };
        let mut input = json!({ "id": token.id, "version": 1 });
        for (field, value) in change.as_object().unwrap() {
            input[field] = value.clone();
        }
        let update = "mutation ($input: UpdateApiTokenInput!) {
            updateApiToken(input: $input) { apiToken { version } } }";
        let answer = app.graphql(&app.admin, update, json!({ "input": input })).await;
        assert_eq!(answer.data()["updateApiToken"]["apiToken"]["version"], 2);
        if self == Self::EarlierExpiry {
            app.clock.advance(TimeDelta::minutes(2));
        }
    }

    /// Revokes a token past this application; it is done when the answer is dropped.
    pub fn under_way(self, app: &TestApp, token: &Made) -> impl Send + use<> {
        let now = TestDatabase::instant(app.clock.now().timestamp_micros());
        let change = match self {
            Self::Deletion => format!("deleted_date = {now}"),
            Self::Disabling => "enabled = FALSE".to_owned(),
            Self::FewerPermissions => {
                format!("permissions = {}", TestDatabase::list(&["api.organizations.read"]))
            }
            Self::FewerAddresses => {
                format!("allowed_addresses = {}", TestDatabase::list(&["10.0.0.0/8"]))
            }
            Self::EarlierExpiry => format!("expiry = {now}"),
            Self::Expiry => "version = version".to_owned(),
        };
        let next = if self == Self::Expiry { "" } else { ", version = version + 1" };
        app.database.change(&token.id, &format!("{change}{next}"))
    }
}
