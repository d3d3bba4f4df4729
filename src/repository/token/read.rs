//! Queries on API tokens.
//!
//! One row is read by `get_result`, never by `first`: that binds a LIMIT, and SQLite compiles a statement
//! anew whenever a value is bound to its LIMIT: measured, a third of an authenticated request.

use diesel::dsl::{exists, insert_into, select};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::caller::ensure_unchanged;
use crate::db::{DbError, DbId, api_tokens, audit_events, read, users, write_tx};
use crate::domain::api_token::{ApiToken, Credential, NewApiToken};
use crate::domain::audit::AuditEvent;
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::principal::JudgedToken;
use crate::repository::Repository;
use crate::repository::rows::{ApiTokenRow, AuditEventRow, UserRow};

/// What became of an insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    Done,
    /// Another live token has the name.
    NameTaken,
    /// The token that asked has been changed or deleted since it was judged.
    CallerChanged,
}

impl Repository {
    /// What a presented secret is judged by, deleted tokens included: one indexed read.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn credential(&self, id: ApiTokenId) -> Result<Option<Credential>, DbError> {
        let row: Option<(ApiTokenRow, UserRow)> = read!(self.db, |conn| api_tokens::table
            .inner_join(users::table)
            .filter(api_tokens::id.eq(DbId(id.uuid())))
            .select((ApiTokenRow::as_select(), UserRow::as_select()))
            .get_result(conn)
            .await
            .optional())?;
        Ok(row.map(Credential::from))
    }

    /// A token that is not deleted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_token(&self, id: ApiTokenId) -> Result<Option<ApiToken>, DbError> {
        let row: Option<ApiTokenRow> = read!(self.db, |conn| api_tokens::table
            .filter(api_tokens::id.eq(DbId(id.uuid())))
            .filter(api_tokens::deleted_date.is_null())
            .select(ApiTokenRow::as_select())
            .get_result(conn)
            .await
            .optional())?;
        Ok(row.map(ApiToken::from))
    }

    /// The tokens, not deleted, of these API Token Users, in no order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_tokens_by_user(&self, users: &[UserId]) -> Result<Vec<ApiToken>, DbError> {
        tracing::debug!(count = users.len(), "api_tokens_by_user");
        let ids: Vec<DbId> = users.iter().map(|id| DbId(id.uuid())).collect();
        let rows: Vec<ApiTokenRow> = read!(self.db, |conn| api_tokens::table
            .filter(api_tokens::user_id.eq_any(ids))
            .filter(api_tokens::deleted_date.is_null())
            .select(ApiTokenRow::as_select())
            .load(conn)
            .await)?;
        Ok(rows.into_iter().map(ApiToken::from).collect())
    }

    /// Those of these tokens that are not deleted, in no order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_tokens_by_id(&self, ids: &[ApiTokenId]) -> Result<Vec<ApiToken>, DbError> {
        tracing::debug!(count = ids.len(), "api_tokens_by_id");
        let ids: Vec<DbId> = ids.iter().map(|id| DbId(id.uuid())).collect();
        let rows: Vec<ApiTokenRow> = read!(self.db, |conn| api_tokens::table
            .filter(api_tokens::id.eq_any(ids))
            .filter(api_tokens::deleted_date.is_null())
            .select(ApiTokenRow::as_select())
            .load(conn)
            .await)?;
        Ok(rows.into_iter().map(ApiToken::from).collect())
    }

    /// The live token that has this name. For reporting all faults of an input together; the index
    /// decides.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn name_holder(&self, name_key: &str) -> Result<Option<ApiTokenId>, DbError> {
        let key = name_key.to_owned();
        let holder: Option<DbId> = read!(self.db, |conn| api_tokens::table
            .filter(api_tokens::name_key.eq(key))
            .filter(api_tokens::deleted_date.is_null())
            .select(api_tokens::id)
            .get_result(conn)
            .await
            .optional())?;
        Ok(holder.map(|id| ApiTokenId::from_uuid(id.0)))
    }

    /// Stores a token, its user and the audit event: all of them or none.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have stored them.
    pub async fn insert_api_token(
        &self,
        new: &NewApiToken,
        event: &AuditEvent,
        caller: Option<JudgedToken>,
    ) -> Result<Inserted, DbError> {
        let token = ApiTokenRow::from(new);
        let (user, key) = (UserRow::from(&new.user), new.name_key.clone());
        let event = AuditEventRow::from(event);
        let stored = write_tx!(self.db, |conn| {
            ensure_unchanged(conn, caller).await?;
            insert_into(users::table).values((user, users::name_key.eq(key))).execute(conn).await?;
            insert_into(api_tokens::table).values(token).execute(conn).await?;
            insert_into(audit_events::table).values(event).execute(conn).await?;
            Ok(Inserted::Done)
        });
        match stored {
            Err(error) if error.is_unique("name_key") => Ok(Inserted::NameTaken),
            Err(DbError::RolledBack) => Ok(Inserted::CallerChanged),
            other => other,
        }
    }

    /// Has any token ever been made here?
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_api_tokens(&self) -> Result<bool, DbError> {
        read!(self.db, |conn| select(exists(api_tokens::table.select(api_tokens::id)))
            .get_result(conn)
            .await)
    }

    /// Asks the database for a trivial answer from the migrated tables.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ping(&self) -> Result<(), DbError> {
        let system = DbId(UserId::SYSTEM.uuid());
        let _found: DbId = read!(self.db, |conn| users::table
            .filter(users::id.eq(system))
            .select(users::id)
            .get_result(conn)
            .await)?;
        self.has_api_tokens().await?;
        Ok(())
    }
}
