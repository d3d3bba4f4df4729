//! Deleting a token: its row stays as a tombstone, and its user stays, disabled.

use diesel::dsl::{insert_into, update};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::caller::{LockOrder, ensure_unchanged};
use crate::db::{DbError, DbId, DbInstant, api_tokens, audit_events, users, write_tx};
use crate::domain::audit::AuditEvent;
use crate::domain::principal::JudgedToken;
use crate::domain::user::User;
use crate::repository::Repository;
use crate::repository::rows::{AuditEventRow, UserRow};

/// What became of a deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deleted {
    /// The token's user, now disabled.
    Done(User),
    /// It does not exist or was deleted.
    NotFound,
    /// The token is not at the version that was named.
    Stale { current_version: i32 },
    /// The token that asked has been changed or deleted since it was judged.
    CallerChanged,
}

impl Repository {
    /// Deletes the event's target, disables its user and stores the event: all of it or nothing. With a
    /// `version`, only if the token is at it.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have deleted it.
    pub async fn delete_api_token(
        &self,
        event: &AuditEvent,
        version: Option<i32>,
        caller: Option<JudgedToken>,
    ) -> Result<Deleted, DbError> {
        let id = event.target;
        let LockOrder { before, own, after } = LockOrder::of(caller, id);
        let target = DbId(id.uuid());
        let event = event.clone();
        let deleted = write_tx!(self.db, |conn| {
            ensure_unchanged(conn, before).await?;
            let mut live = update(api_tokens::table)
                .filter(api_tokens::id.eq(target))
                .filter(api_tokens::deleted_date.is_null())
                .into_boxed();
            for expected in version.into_iter().chain(own) {
                live = live.filter(api_tokens::version.eq(expected));
            }
            // An update that changes nothing: it locks the row, and whether it meets one is the verdict.
            let claimed: Option<DbInstant> = live
                .set(api_tokens::version.eq(api_tokens::version))
                .returning(api_tokens::last_modified_date)
                .get_result(conn)
                .await
                .optional()?;
            ensure_unchanged(conn, after).await?;
            let Some(last_modified) = claimed else {
                let current: Option<i32> = api_tokens::table
                    .filter(api_tokens::id.eq(target))
                    .filter(api_tokens::deleted_date.is_null())
                    .select(api_tokens::version)
                    .get_result(conn)
                    .await
                    .optional()?;
                return Ok(match current {
                    current if own.is_some() && current != own => Deleted::CallerChanged,
                    Some(current_version) => Deleted::Stale { current_version },
                    None => Deleted::NotFound,
                });
            };
            let event = event.after(last_modified.0);
            let date = DbInstant(event.date);
            let user: DbId = update(api_tokens::table)
                .filter(api_tokens::id.eq(target))
                .set((
                    api_tokens::deleted_date.eq(Some(date)),
                    // The tag stays: the log tells a deleted token's own secret from a wrong one.
                    api_tokens::secret_hash.eq(""),
                    api_tokens::version.eq(api_tokens::version + 1),
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
                    users::version.eq(users::version + 1),
                    users::last_modified_date.eq(date),
                ))
                .returning(UserRow::as_returning())
                .get_result(conn)
                .await?;
            insert_into(audit_events::table)
                .values(AuditEventRow::from(&event))
                .execute(conn)
                .await?;
            Ok(Deleted::Done(user.into()))
        });
        match deleted {
            Err(DbError::RolledBack) => Ok(Deleted::CallerChanged),
            other => other,
        }
    }
}
