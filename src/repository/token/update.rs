//! Changing a token.

use diesel::dsl::update;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Unclaimed;
use super::caller::CallerRow;
use super::claim::claim;
use super::name::holder;
use crate::db::{DbError, DbId, DbInstant, api_tokens, users, write_tx};
use crate::domain::api_token::ApiToken;
use crate::domain::api_token_change::ApiTokenChange;
use crate::domain::audit::AuditEvent;
use crate::domain::id::ApiTokenId;
use crate::domain::principal::Principal;
use crate::repository::Repository;
use crate::repository::audit::record;
use crate::repository::rows::{ApiTokenChangeRow, ApiTokenRow};
use crate::repository::version::next_version;

/// What became of a change.
#[derive(Debug)]
pub enum Updated {
    /// The token as it is now.
    Done(Box<ApiToken>),
    /// The change is empty: the token is as it was read at this version.
    Unchanged,
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
                ApiTokenChangeRow::from(change),
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
    /// Changes a token that was read at this version, renames its user with it, and stores the
    /// event: all of it or nothing. An empty change writes nothing, but still requires the version.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have been
    /// changed.
    pub async fn update_api_token(
        &self,
        caller: &Principal,
        id: ApiTokenId,
        version: i32,
        change: ApiTokenChange,
        event: AuditEvent,
    ) -> Result<Updated, DbError> {
        let caller = CallerRow::for_existing(caller, id);
        let updated = write_tx!(self.db, |conn| {
            if let Err(unclaimed) = claim(conn, caller, id, Some(version)).await? {
                return Ok(Updated::Unclaimed(unclaimed));
            }
            if change.is_empty() {
                return Ok(Updated::Unchanged);
            }
            if let Some(name) = &change.name {
                let holder: Option<DbId> =
                    holder(name.key().to_owned()).get_result(conn).await.optional()?;
                if holder.is_some_and(|holder| holder.0 != id.uuid()) {
                    return Ok(Updated::NameTaken);
                }
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
            record!(conn, [&event]);
            Ok(Updated::Done(Box::new(token)))
        });
        match updated {
            Err(error) if error.is_unique("name_key") => Ok(Updated::NameTaken),
            Err(DbError::RolledBack) => Ok(Updated::Unclaimed(Unclaimed::CallerChanged)),
            other => other,
        }
    }
}
