//! Rows of audit events. What changed is kept as JSON.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::db::{DbError, DbId, DbInstant, audit_events};
use crate::domain::audit::{AuditAction, AuditChange, AuditEvent, AuditTarget};
use crate::domain::cursor::{Key, Position};
use crate::domain::id::{ApiTokenId, EventId, UserId};
use crate::domain::user::UserInfo;

// NULL is written as such: a statement that leaves columns out is compiled anew each time.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(treat_none_as_default_value = false)]
#[diesel(table_name = audit_events, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(in crate::repository) struct AuditEventRow {
    pub(super) id: DbId,
    pub(super) date: DbInstant,
    pub(super) action: String,
    pub(super) actor_user_id: DbId,
    pub(super) actor_user_name: String,
    pub(super) actor_api_token_id: Option<DbId>,
    pub(super) client_address: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) target_id: DbId,
    pub(super) changes: String,
}

/// An element of the JSON array.
#[derive(Deserialize)]
struct Change {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

impl AuditEventRow {
    /// Its position among the events.
    pub(in crate::repository) fn position(&self) -> Position {
        Position { key: Key::Instant(self.date.0), id: self.id.0 }
    }
}

impl From<&AuditEvent> for AuditEventRow {
    fn from(event: &AuditEvent) -> Self {
        Self {
            id: DbId(event.id.uuid()),
            date: DbInstant(event.date),
            action: event.action.as_str().to_owned(),
            actor_user_id: DbId(event.actor.user_id.uuid()),
            actor_user_name: event.actor.user_name.clone(),
            actor_api_token_id: event.actor_token.map(|id| DbId(id.uuid())),
            client_address: event.client_address.map(|address| address.to_string()),
            request_id: event.request_id.clone(),
            target_id: DbId(event.target.uuid()),
            changes: to_json(&event.changes),
        }
    }
}

impl TryFrom<AuditEventRow> for AuditEvent {
    type Error = DbError;

    fn try_from(row: AuditEventRow) -> Result<Self, DbError> {
        let unexpected =
            |what: &str| DbError::Unexpected(format!("{what} of the event {}", row.id.0));
        let action = AuditAction::stored(&row.action).ok_or_else(|| unexpected("the action"))?;
        let changes = from_json(&row.changes).ok_or_else(|| unexpected("the changes"))?;
        Ok(Self {
            id: EventId::from_uuid(row.id.0),
            date: row.date.0,
            action,
            actor: UserInfo {
                user_id: UserId::from_uuid(row.actor_user_id.0),
                user_name: row.actor_user_name,
            },
            actor_token: row.actor_api_token_id.map(|id| ApiTokenId::from_uuid(id.0)),
            client_address: row.client_address.and_then(|address| address.parse().ok()),
            request_id: row.request_id,
            target: AuditTarget::stored(action, row.target_id.0),
            changes,
        })
    }
}

/// A JSON array of objects with `field`, `before` and `after`.
fn to_json(changes: &[AuditChange]) -> String {
    let objects = changes.iter().map(
        |change| json!({ "field": change.field, "before": change.before, "after": change.after }),
    );
    Value::Array(objects.collect()).to_string()
}

fn from_json(text: &str) -> Option<Vec<AuditChange>> {
    let changes: Vec<Change> = serde_json::from_str(text).ok()?;
    let changes = changes.into_iter().map(|Change { field, before, after }| AuditChange {
        field: field.into(),
        before,
        after,
    });
    Some(changes.collect())
}
