//! Renewing a token: a new token takes its place.

use diesel::dsl::{insert_into, update};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Unclaimed;
use super::caller::CallerRow;
use super::claim::claim;
use super::insert::insert_with_user;
use super::name::holder;
use super::update::apply_change;
use crate::db::{DbError, DbId, DbInstant, api_tokens, users, write_tx};
use crate::domain::api_token::{ApiToken, NewApiToken};
use crate::domain::api_token_change::ApiTokenChange;
use crate::domain::audit::AuditEvent;
use crate::domain::principal::Principal;
use crate::repository::Repository;
use crate::repository::audit::record;
use crate::repository::rows::{ApiTokenChangeRow, ApiTokenRow, UserRow};

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
        let (id, version, caller) = (old.id, old.version, CallerRow::for_existing(caller, old.id));
        let renewed = write_tx!(self.db, |conn| {
            if let Err(unclaimed) = claim(conn, caller, id, Some(version)).await? {
                return Ok(Renewed::Unclaimed(unclaimed));
            }
            let Renewal { new, event, end } = renewal;
            let holder: Option<DbId> =
                holder(new.name_key.clone()).get_result(conn).await.optional()?;
            if holder.is_some() {
                return Ok(Renewed::NameTaken);
            }
            if let Some((change, event)) = &end {
                apply_change!(conn, id, change, event);
            }
            insert_with_user!(conn, &new);
            record!(conn, end.iter().map(|(_, event)| event).chain([&event]));
            Ok(Renewed::Done)
        });
        match renewed {
            Err(error) if error.is_unique("name_key") => Ok(Renewed::NameTaken),
            Err(DbError::RolledBack) => Ok(Renewed::Unclaimed(Unclaimed::CallerChanged)),
            other => other,
        }
    }
}
