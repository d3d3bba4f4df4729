//! Changing a token.

use std::sync::Arc;

use diesel::dsl::{delete, update};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Unclaimed;
use super::caller::JudgedToken;
use super::claim::claim;
use super::descendants::{Descendants, LineRefused, claim_line};
use super::disabler::disable_descendants;
use super::name::holder;
use crate::db::{
    DbError, DbId, DbInstant, Priority, api_token_labels, api_tokens, users, write_tx,
};
use crate::domain::api_token::ApiToken;
use crate::domain::api_token_change::ApiTokenChange;
use crate::domain::audit::{AuditChange, AuditEvent};
use crate::domain::id::ApiTokenId;
use crate::domain::principal::Principal;
use crate::repository::Repository;
use crate::repository::audit::record;
use crate::repository::clock::move_mark;
use crate::repository::rows::{ApiTokenChangeRow, ApiTokenRow, InsertLabels};
use crate::repository::version::next_version;

/// A change of a token that was read at a version, and how it is recorded.
pub struct Update {
    /// The token.
    pub id: ApiTokenId,
    /// The version that it must be at.
    pub version: i32,
    /// What becomes different about it; it may be nothing.
    pub change: ApiTokenChange,
    /// The event of the change.
    pub event: AuditEvent,
    /// `Some`: all that came of the token is disabled.
    pub descendants: Option<Descendants>,
}

/// What became of a change.
#[derive(Debug)]
pub enum Updated {
    /// It is done.
    Done {
        /// The token as it is now; `None` if the change of it is empty: it is as it was read.
        token: Option<Box<ApiToken>>,
        /// How many descendants were disabled.
        descendants: usize,
    },
    /// It has more descendants than allowed; nothing was changed.
    TooManyDescendants,
    /// The token could not be claimed; nothing was changed.
    Unclaimed(Unclaimed),
    /// Another live token has the name.
    NameTaken,
}

/// Sets the new values of a claimed token, attributed to the actor of the event; returns the new
/// row.
macro_rules! apply_change {
    ($conn:expr, $target:expr, $change:expr, $event:expr) => {{
        let (change, event): (&ApiTokenChange, &AuditEvent) = ($change, $event);
        let changed: ApiTokenRow = update(api_tokens::table)
            .filter(api_tokens::id.eq(DbId($target.uuid())))
            .set((
                ApiTokenChangeRow::of(change, event),
                api_tokens::version.eq(api_tokens::version + 1),
                api_tokens::last_modified_date.eq(DbInstant(event.date)),
                api_tokens::last_modified_user_id.eq(DbId(event.actor.user_id.uuid())),
                api_tokens::last_modified_user_name.eq(event.actor.user_name.clone()),
            ))
            .returning(ApiTokenRow::as_returning())
            .get_result($conn)
            .await?;
        changed
    }};
}

pub(super) use apply_change;

impl Repository {
    /// Changes a token, renames its user with it, disables its descendants where that is wanted,
    /// and stores the events: all of it or nothing. An empty change writes nothing, but still
    /// requires the version.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have been
    /// changed.
    pub async fn update_api_token(
        &self,
        caller: &Principal,
        wanted: Update,
    ) -> Result<Updated, DbError> {
        let Update { id, version, change, event, descendants } = wanted;
        let (caller, own) = (caller.clone(), JudgedToken::of(caller));
        let clock = Arc::clone(&self.clock);
        let revokes = change.revokes() || descendants.is_some();
        let priority = if revokes { Priority::Revocation } else { Priority::Usual };
        let updated = write_tx!(self.db, priority, |conn| {
            let line = match &descendants {
                None => match claim(conn, own, id, Some(version), &clock).await? {
                    Ok(_) => None,
                    Err(unclaimed) => return Ok(Updated::Unclaimed(unclaimed)),
                },
                Some(wanted) => {
                    match claim_line!(conn, &caller, id, Some(version), wanted.most, &clock) {
                        Ok(line) if line.has_root() => Some((line, wanted)),
                        Ok(_) => return Ok(Updated::Unclaimed(Unclaimed::NotFound)),
                        Err(LineRefused::Unclaimed(unclaimed)) => {
                            return Ok(Updated::Unclaimed(unclaimed));
                        }
                        Err(LineRefused::TooMany) => return Ok(Updated::TooManyDescendants),
                    }
                }
            };
            if let Some(name) = &change.name {
                let holder: Option<DbId> =
                    holder(name.key().to_owned()).get_result(conn).await.optional()?;
                if holder.is_some_and(|holder| holder.0 != id.uuid()) {
                    return Ok(Updated::NameTaken);
                }
            }
            let mut events = match &line {
                None => Vec::new(),
                Some((line, wanted)) => disable_descendants!(conn, line, &caller, wanted, &event),
            };
            let descendants = events.len();
            if change.is_empty() {
                if !events.is_empty() {
                    record!(conn, &events);
                }
                return Ok(Updated::Done { token: None, descendants });
            }
            let token = ApiToken::from(apply_change!(conn, id, &change, &event));
            if let Some(name) = &change.name {
                update(users::table)
                    .filter(users::id.eq(DbId(token.user_id.uuid())))
                    .set((
                        users::name.eq(name.as_str().to_owned()),
                        users::name_key.eq(name.key().to_owned()),
                        users::version.eq(next_version!(users::version)),
                        users::last_modified_date.eq(DbInstant(event.date)),
                    ))
                    .execute(conn)
                    .await?;
            }
            if change.labels.is_some() {
                delete(api_token_labels::table)
                    .filter(api_token_labels::api_token_id.eq(DbId(id.uuid())))
                    .execute(conn)
                    .await?;
                if let Some(labels) = InsertLabels::of(&token) {
                    labels.execute(conn).await?;
                }
            }
            if change.expiry.is_some() {
                move_mark(conn, &clock).await?;
            }
            events.push(event);
            record!(conn, &events);
            Ok(Updated::Done { token: Some(Box::new(token)), descendants })
        });
        match updated {
            Err(error) if error.is_unique("name_key") => Ok(Updated::NameTaken),
            Err(DbError::RolledBack) => Ok(Updated::Unclaimed(Unclaimed::CallerChanged)),
            other => other,
        }
    }
}
