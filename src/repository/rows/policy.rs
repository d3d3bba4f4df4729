//! The row of the policy.

use diesel::prelude::*;

use crate::db::{DbId, DbInstant, policy};
use crate::domain::audit::AuditEvent;
use crate::domain::id::UserId;
use crate::domain::policy::{Limit, Policy, PolicyDuration, PolicyRecord, Scope};
use crate::domain::user::UserInfo;

/// What tokens are judged by.
#[derive(Queryable, Selectable, Clone)]
#[diesel(table_name = policy, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(in crate::repository) struct PolicyRow {
    version: i32,
    max_lifetime_seconds: Option<i32>,
    max_lifetime_since: Option<DbInstant>,
    addresses_since: Option<DbInstant>,
    idle_seconds: Option<i32>,
    idle_since: Option<DbInstant>,
}

/// The same, and who changed it last.
#[derive(Queryable, Selectable)]
#[diesel(table_name = policy, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(in crate::repository) struct PolicyRecordRow {
    #[diesel(embed)]
    policy: PolicyRow,
    last_modified_date: DbInstant,
    last_modified_user_id: DbId,
    last_modified_user_name: String,
}

/// All columns that a change may set.
#[derive(AsChangeset)]
#[diesel(table_name = policy, treat_none_as_null = true)]
pub(in crate::repository) struct PolicyChangeRow {
    last_modified_date: DbInstant,
    last_modified_user_id: DbId,
    last_modified_user_name: String,
    max_lifetime_seconds: Option<i32>,
    max_lifetime_since: Option<DbInstant>,
    addresses_since: Option<DbInstant>,
    idle_seconds: Option<i32>,
    idle_since: Option<DbInstant>,
}

impl PolicyChangeRow {
    /// The rules of a policy, as the actor of the event sets them.
    pub(in crate::repository) fn of(policy: &Policy, event: &AuditEvent) -> Self {
        let seconds = |limit: Limit| limit.duration.map(PolicyDuration::seconds);
        let since = |scope: Scope| scope.since().map(DbInstant);
        Self {
            last_modified_date: DbInstant(event.date),
            last_modified_user_id: DbId(event.actor.user_id.uuid()),
            last_modified_user_name: event.actor.user_name.clone(),
            max_lifetime_seconds: seconds(policy.max_lifetime),
            max_lifetime_since: since(policy.max_lifetime.scope),
            addresses_since: since(policy.allowed_addresses),
            idle_seconds: seconds(policy.idle),
            idle_since: since(policy.idle.scope),
        }
    }
}

impl From<PolicyRow> for Policy {
    fn from(row: PolicyRow) -> Self {
        let scope = |since: Option<DbInstant>| Scope::from_since(since.map(|since| since.0));
        let limit = |seconds: Option<i32>, since| Limit {
            duration: seconds.and_then(PolicyDuration::from_seconds),
            scope: scope(since),
        };
        Self {
            version: row.version,
            max_lifetime: limit(row.max_lifetime_seconds, row.max_lifetime_since),
            allowed_addresses: scope(row.addresses_since),
            idle: limit(row.idle_seconds, row.idle_since),
        }
    }
}

impl From<PolicyRecordRow> for PolicyRecord {
    fn from(row: PolicyRecordRow) -> Self {
        Self {
            policy: row.policy.into(),
            last_modified_date: row.last_modified_date.0,
            last_modified: UserInfo {
                user_id: UserId::from_uuid(row.last_modified_user_id.0),
                user_name: row.last_modified_user_name,
            },
        }
    }
}
