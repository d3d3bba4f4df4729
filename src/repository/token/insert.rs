//! Storing a new token.

use std::sync::Arc;

use diesel::dsl::{delete, exists, insert_into, select, update};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Unclaimed;
use super::caller::{JudgedToken, lock_and_ensure_current};
use super::claim::claim;
use super::delete::delete_claimed;
use super::once::{NotOnce, Once, came_of, take_key, token_of_key, use_of};
use crate::db::{
    DbError, DbId, DbInstant, api_token_labels, api_tokens, idempotency_keys, users, write_tx,
};
use crate::domain::api_token::NewApiToken;
use crate::domain::audit::AuditEvent;
use crate::domain::clock::Instant;
use crate::domain::idempotency::KEPT;
use crate::domain::principal::Principal;
use crate::repository::Repository;
use crate::repository::audit::record;
use crate::repository::rows::{ApiTokenRow, InsertLabels, NEVER, UserRow};
use crate::repository::version::next_version;

/// What became of an insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// The token and its user were stored.
    Done,
    /// Another live token has the name.
    NameTaken,
    /// The token that asks has changed since it was judged, was deleted or has ended.
    CallerChanged,
    /// An earlier request with the key is in the way.
    NotOnce(NotOnce),
}

/// Inserts a token and its user.
macro_rules! insert_with_user {
    ($conn:expr, $new:expr) => {{
        let new: &NewApiToken = $new;
        let user = (UserRow::from(&new.user), users::name_key.eq(new.name_key.clone()));
        insert_into(users::table).values(user).execute($conn).await?;
        insert_into(api_tokens::table).values(ApiTokenRow::from(new)).execute($conn).await?;
        if let Some(labels) = InsertLabels::of(&new.token) {
            labels.execute($conn).await?;
        }
    }};
}

pub(super) use insert_with_user;

impl Repository {
    /// Stores a token, its user and the audit event: all of them or none. With a key, in the place
    /// of the token that an earlier request with it has made.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have stored
    /// them.
    pub async fn insert_api_token(
        &self,
        caller: &Principal,
        new: NewApiToken,
        event: AuditEvent,
        once: Option<Once>,
    ) -> Result<Inserted, DbError> {
        let (caller, clock) = (JudgedToken::of(caller), Arc::clone(&self.clock));
        let stored = write_tx!(self.db, |conn| {
            let orphan = once.as_ref().and_then(|once| once.orphan.as_ref());
            let claimed = match orphan {
                Some(orphan) => match claim(conn, caller, orphan.id, Some(1), &clock).await? {
                    Ok(last_modified) => Some(last_modified),
                    Err(Unclaimed::CallerChanged) => return Ok(Inserted::CallerChanged),
                    Err(Unclaimed::NotFound | Unclaimed::Stale { .. }) => None,
                },
                None => {
                    lock_and_ensure_current(conn, caller, &[], &clock).await?;
                    None
                }
            };
            let deleted = match take_key!(conn, &once, new.token.id, claimed) {
                Ok(deleted) => deleted,
                Err(not_once) => return Ok(Inserted::NotOnce(not_once)),
            };
            insert_with_user!(conn, &new);
            record!(conn, deleted.iter().chain([&event]));
            Ok(Inserted::Done)
        });
        match stored {
            Err(error) if error.is_unique("name_key") => Ok(Inserted::NameTaken),
            Err(DbError::RolledBack) => Ok(Inserted::CallerChanged),
            other => other,
        }
    }
}
