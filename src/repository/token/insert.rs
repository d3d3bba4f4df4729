//! Storing a new token.

use diesel::dsl::insert_into;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::caller::{CallerRow, ensure_unchanged};
use crate::db::{DbError, api_tokens, users, write_tx};
use crate::domain::api_token::NewApiToken;
use crate::domain::audit::AuditEvent;
use crate::domain::principal::Principal;
use crate::repository::Repository;
use crate::repository::audit::record;
use crate::repository::rows::{ApiTokenRow, UserRow};

/// What became of an insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// The token and its user were stored.
    Done,
    /// Another live token has the name.
    NameTaken,
    /// The token that asks was changed or deleted since it was judged.
    CallerChanged,
}

/// Inserts a token and its user.
macro_rules! insert_with_user {
    ($conn:expr, $new:expr) => {{
        let new: &NewApiToken = $new;
        let user = (UserRow::from(&new.user), users::name_key.eq(new.name_key.clone()));
        insert_into(users::table).values(user).execute($conn).await?;
        insert_into(api_tokens::table).values(ApiTokenRow::from(new)).execute($conn).await?;
    }};
}

pub(super) use insert_with_user;

impl Repository {
    /// Stores a token, its user and the audit event: all of them or none.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have stored
    /// them.
    pub async fn insert_api_token(
        &self,
        caller: &Principal,
        new: &NewApiToken,
        event: &AuditEvent,
    ) -> Result<Inserted, DbError> {
        let caller = CallerRow::for_new(caller);
        let (new, event) = (new.clone(), event.clone());
        let stored = write_tx!(self.db, |conn| {
            ensure_unchanged(conn, caller.before()).await?;
            insert_with_user!(conn, &new);
            record!(conn, [&event]);
            Ok(Inserted::Done)
        });
        match stored {
            Err(error) if error.is_unique("name_key") => Ok(Inserted::NameTaken),
            Err(DbError::RolledBack) => Ok(Inserted::CallerChanged),
            other => other,
        }
    }
}
