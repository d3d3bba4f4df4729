//! Renewing a token: a new token takes its place.

use std::sync::Arc;

use diesel::dsl::{delete, exists, insert_into, select, update};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Unclaimed;
use super::caller::{JudgedToken, lock_and_ensure_current};
use super::claim::{claim, claimed};
use super::delete::delete_claimed;
use super::insert::insert_with_user;
use super::name::holder;
use super::once::{NotOnce, Once, came_of, take_key, token_of_key, use_of};
use super::update::apply_change;
use crate::db::{
    DbError, DbId, DbInstant, api_token_labels, api_tokens, idempotency_keys, users, write_tx,
};
use crate::domain::api_token::{ApiToken, NewApiToken};
use crate::domain::api_token_change::ApiTokenChange;
use crate::domain::audit::AuditEvent;
use crate::domain::clock::Instant;
use crate::domain::idempotency::KEPT;
use crate::domain::principal::Principal;
use crate::repository::Repository;
use crate::repository::audit::record;
use crate::repository::clock::move_mark;
use crate::repository::rows::{ApiTokenChangeRow, ApiTokenRow, InsertLabels, NEVER, UserRow};
use crate::repository::version::next_version;

/// A renewal, all of it or nothing.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// The token that takes the place of the old one.
    pub new: NewApiToken,
    /// The event of the renewal.
    pub event: AuditEvent,
    /// The change that ends the old token earlier; `None`: the token and its version stay as they
    /// are.
    pub end: Option<(ApiTokenChange, AuditEvent)>,
    /// With a key: in the place of what an earlier request with it has made.
    pub once: Option<Once>,
}

/// What became of a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// The renewal was stored.
    Done,
    /// The old token could not be claimed; nothing was changed.
    Unclaimed(Unclaimed),
    /// Another live token has the name.
    NameTaken,
    /// An earlier request with the key is in the way.
    NotOnce(NotOnce),
}

impl Repository {
    /// Stores the renewal of a token that is as it was read, and ends that one.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have been done.
    pub async fn renew_api_token(
        &self,
        caller: &Principal,
        old: &ApiToken,
        renewal: Renewal,
    ) -> Result<Renewed, DbError> {
        let (id, version, caller) = (old.id, old.version, JudgedToken::of(caller));
        let clock = Arc::clone(&self.clock);
        let renewed = write_tx!(self.db, |conn| {
            // All that is changed is locked at once, in the order of the ids.
            if let Some(orphan) = renewal.once.as_ref().and_then(|once| once.orphan.as_ref()) {
                lock_and_ensure_current(conn, caller, &[id, orphan.id], &clock).await?;
            }
            if let Err(unclaimed) = claim(conn, caller, id, Some(version), &clock).await? {
                return Ok(Renewed::Unclaimed(unclaimed));
            }
            let Renewal { new, event, end, once } = renewal;
            let orphan = once.as_ref().and_then(|once| once.orphan.as_ref());
            let holder: Option<DbId> =
                holder(new.name_key.clone()).get_result(conn).await.optional()?;
            if holder.is_some_and(|holder| Some(holder.0) != orphan.map(|orphan| orphan.id.uuid()))
            {
                return Ok(Renewed::NameTaken);
            }
            // At version 1: a change or a deletion would have made it another one.
            let claimed: Option<DbInstant> = match orphan {
                Some(orphan) => {
                    claimed(DbId(orphan.id.uuid()), 1, 1).get_result(conn).await.optional()?
                }
                None => None,
            };
            let claimed = claimed.map(|DbInstant(last_modified)| last_modified);
            let deleted = match take_key!(conn, &once, new.token.id, claimed) {
                Ok(deleted) => deleted,
                Err(not_once) => return Ok(Renewed::NotOnce(not_once)),
            };
            if let Some((change, event)) = &end {
                apply_change!(conn, id, change, event);
            }
            insert_with_user!(conn, &new);
            if end.is_some() {
                move_mark(conn, &clock).await?;
            }
            record!(conn, deleted.iter().chain(end.iter().map(|(_, event)| event)).chain([&event]));
            Ok(Renewed::Done)
        });
        match renewed {
            Err(error) if error.is_unique("name_key") => Ok(Renewed::NameTaken),
            Err(DbError::RolledBack) => Ok(Renewed::Unclaimed(Unclaimed::CallerChanged)),
            other => other,
        }
    }
}
