//! Deleting a token: its row stays as a tombstone, and its user stays, disabled.

use std::sync::Arc;

use diesel::dsl::update;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Unclaimed;
use super::caller::JudgedToken;
use super::claim::claim;
use super::descendants::{Descendants, LineRefused, batches, claim_line};
use crate::db::{
    DbError, DbId, DbInstant, Priority, api_token_labels, api_tokens, users, write_tx,
};
use crate::domain::audit::AuditEvent;
use crate::domain::id::ApiTokenId;
use crate::domain::principal::Principal;
use crate::domain::user::User;
use crate::repository::Repository;
use crate::repository::audit::record;
use crate::repository::rows::UserRow;
use crate::repository::version::next_version;

/// What to delete, and how it is recorded.
pub struct Deletion {
    /// The token.
    pub id: ApiTokenId,
    /// Only if the token is at this version.
    pub version: Option<i32>,
    /// The event of the token's own deletion.
    pub event: AuditEvent,
    /// `Some`: all that came of the token is deleted too, even if the token itself was before.
    pub descendants: Option<Descendants>,
}

/// What became of a deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deleted {
    /// It is done.
    Done {
        /// The token's user, now disabled.
        user: User,
        /// How many descendants were deleted.
        descendants: usize,
    },
    /// The token could not be claimed; nothing was changed.
    Unclaimed(Unclaimed),
    /// It has more descendants than allowed; nothing was changed.
    TooManyDescendants,
}

/// Deletes claimed tokens and disables their users; returns the users.
macro_rules! delete_claimed {
    ($conn:expr, $ids:expr, $event:expr, $date:expr) => {{
        let (ids, event, date): (Vec<DbId>, &AuditEvent, DbInstant) = ($ids, $event, $date);
        diesel::dsl::delete(api_token_labels::table)
            .filter(api_token_labels::api_token_id.eq_any(ids.clone()))
            .execute($conn)
            .await?;
        let users: Vec<DbId> = update(api_tokens::table)
            .filter(api_tokens::id.eq_any(ids))
            .set((
                api_tokens::deleted_date.eq(Some(date)),
                // The tag is kept, so that the log can distinguish the secret of a deleted token
                // from a wrong one.
                api_tokens::secret_hash.eq(""),
                api_tokens::version.eq(next_version!(api_tokens::version)),
                api_tokens::last_modified_date.eq(date),
                api_tokens::last_modified_user_id.eq(DbId(event.actor.user_id.uuid())),
                api_tokens::last_modified_user_name.eq(event.actor.user_name.clone()),
            ))
            .returning(api_tokens::user_id)
            .get_results($conn)
            .await?;
        let users: Vec<UserRow> = update(users::table)
            .filter(users::id.eq_any(users))
            .set((
                users::enabled.eq(false),
                users::version.eq(next_version!(users::version)),
                users::last_modified_date.eq(date),
            ))
            .returning(UserRow::as_returning())
            .get_results($conn)
            .await?;
        users
    }};
}

pub(super) use delete_claimed;

impl Repository {
    /// Deletes a token, disables its user and stores the event, and the same with its descendants
    /// where that is wanted: all of it or nothing.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have deleted it.
    pub async fn delete_api_token(
        &self,
        caller: &Principal,
        deletion: Deletion,
    ) -> Result<Deleted, DbError> {
        let Deletion { id, version, event, descendants } = deletion;
        let deleted = match descendants {
            None => self.delete_alone(caller, id, version, event).await,
            Some(descendants) => {
                self.delete_line(caller.clone(), id, version, event, descendants).await
            }
        };
        match deleted {
            Err(DbError::RolledBack) => Ok(Deleted::Unclaimed(Unclaimed::CallerChanged)),
            other => other,
        }
    }

    async fn delete_alone(
        &self,
        caller: &Principal,
        id: ApiTokenId,
        version: Option<i32>,
        event: AuditEvent,
    ) -> Result<Deleted, DbError> {
        let (caller, clock) = (JudgedToken::of(caller), Arc::clone(&self.clock));
        write_tx!(self.db, Priority::Revocation, |conn| {
            let last_modified = match claim(conn, caller, id, version, &clock).await? {
                Ok(last_modified) => last_modified,
                Err(unclaimed) => return Ok(Deleted::Unclaimed(unclaimed)),
            };
            let event = event.after(last_modified);
            let date = DbInstant(event.date);
            let users = delete_claimed!(conn, vec![DbId(id.uuid())], &event, date);
            record!(conn, [&event]);
            let user = users.into_iter().next().ok_or(diesel::result::Error::NotFound)?;
            Ok(Deleted::Done { user: user.into(), descendants: 0 })
        })
    }

    async fn delete_line(
        &self,
        caller: Principal,
        id: ApiTokenId,
        version: Option<i32>,
        event: AuditEvent,
        descendants: Descendants,
    ) -> Result<Deleted, DbError> {
        let clock = Arc::clone(&self.clock);
        write_tx!(self.db, Priority::Revocation, |conn| {
            let line = match claim_line!(conn, &caller, id, version, descendants.most, &clock) {
                Ok(line) => line,
                Err(LineRefused::Unclaimed(unclaimed)) => return Ok(Deleted::Unclaimed(unclaimed)),
                Err(LineRefused::TooMany) => return Ok(Deleted::TooManyDescendants),
            };
            let gone = line.descendants();
            if !line.has_root() && gone.is_empty() {
                return Ok(Deleted::Unclaimed(Unclaimed::NotFound));
            }
            let date = DbInstant(line.date(event.date));
            let event = AuditEvent { date: date.0, ..event };
            let mut events = Vec::new();
            if line.has_root() {
                let _user = delete_claimed!(conn, vec![DbId(id.uuid())], &event, date);
                events.push(event.clone());
            }
            for batch in batches(gone.iter().map(|id| DbId(id.uuid())).collect()) {
                let _users = delete_claimed!(conn, batch, &event, date);
            }
            for id in &gone {
                events.push(descendants.event(*id, Vec::new())?);
            }
            let user: UserRow = users::table
                .inner_join(api_tokens::table)
                .filter(api_tokens::id.eq(DbId(id.uuid())))
                .select(UserRow::as_select())
                .get_result(conn)
                .await?;
            record!(conn, &events);
            Ok(Deleted::Done { user: user.into(), descendants: gone.len() })
        })
    }
}
