//! Deleting a token: its row stays as a tombstone, and its user stays, disabled.

use diesel::dsl::update;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Unclaimed;
use super::caller::CallerRow;
use super::claim::claim;
use crate::db::{DbError, DbId, DbInstant, api_tokens, users, write_tx};
use crate::domain::audit::AuditEvent;
use crate::domain::id::ApiTokenId;
use crate::domain::principal::Principal;
use crate::domain::user::User;
use crate::repository::Repository;
use crate::repository::audit::record;
use crate::repository::rows::UserRow;
use crate::repository::version::next_version;

/// What became of a deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deleted {
    /// The token's user, now disabled.
    Done(User),
    /// The token could not be claimed; nothing was changed.
    Unclaimed(Unclaimed),
}

impl Repository {
    /// Deletes a token, disables its user and stores the event: all of it or nothing. With a
    /// `version`, only if the token is at it.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have deleted it.
    pub async fn delete_api_token(
        &self,
        caller: &Principal,
        id: ApiTokenId,
        version: Option<i32>,
        event: AuditEvent,
    ) -> Result<Deleted, DbError> {
        let caller = CallerRow::for_existing(caller, id);
        let deleted = write_tx!(self.db, |conn| {
            let last_modified = match claim(conn, caller, id, version).await? {
                Ok(last_modified) => last_modified,
                Err(unclaimed) => return Ok(Deleted::Unclaimed(unclaimed)),
            };
            let event = event.after(last_modified);
            let date = DbInstant(event.date);
            let user: DbId = update(api_tokens::table)
                .filter(api_tokens::id.eq(DbId(id.uuid())))
                .set((
                    api_tokens::deleted_date.eq(Some(date)),
                    // The tag is kept, so that the log can distinguish the secret of a deleted
                    // token from a wrong one.
                    api_tokens::secret_hash.eq(""),
                    api_tokens::version.eq(next_version!(api_tokens::version)),
                    api_tokens::last_modified_date.eq(date),
                    api_tokens::last_modified_user_id.eq(DbId(event.actor.user_id.uuid())),
                    api_tokens::last_modified_user_name.eq(event.actor.user_name.clone()),
                ))
                .returning(api_tokens::user_id)
                .get_result(conn)
                .await?;
            let user: UserRow = update(users::table)
                .filter(users::id.eq(user))
                .set((
                    users::enabled.eq(false),
                    users::version.eq(next_version!(users::version)),
                    users::last_modified_date.eq(date),
                ))
                .returning(UserRow::as_returning())
                .get_result(conn)
                .await?;
            record!(conn, [&event]);
            Ok(Deleted::Done(user.into()))
        });
        match deleted {
            Err(DbError::RolledBack) => Ok(Deleted::Unclaimed(Unclaimed::CallerChanged)),
            other => other,
        }
    }
}
