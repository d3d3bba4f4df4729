//! What many presented secrets are judged by, in one read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use diesel::prelude::*;

use super::CredentialRead;
use super::read::{JudgedRow, judged};
use crate::db::{
    ClockMark, ClockReading, DbError, DbId, DbInstant, Fetch, api_tokens, read, users,
};
use crate::domain::id::ApiTokenId;
use crate::repository::Repository;
use crate::repository::rows::{ApiTokenRow, UserRow};

impl Repository {
    /// What [`Self::credential`] finds for each of these tokens, in one indexed read.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn credentials(
        &self,
        ids: &[ApiTokenId],
    ) -> Result<HashMap<ApiTokenId, CredentialRead>, DbError> {
        tracing::debug!(count = ids.len(), "credentials");
        let clock = Arc::clone(&self.clock);
        let wanted: Vec<DbId> = ids.iter().map(|id| DbId(id.uuid())).collect();
        let (rows, start, own) = read!(self.db, |conn| {
            let (start, own) = (Instant::now(), clock.own());
            let rows: QueryResult<Vec<JudgedRow>> =
                judged!(own).filter(api_tokens::id.eq_any(wanted)).all(conn).await;
            rows.map(|rows| (rows, start, own))
        })?;
        let found = rows.into_iter().map(|row| {
            let read = self.judged_by(row, start, own);
            (read.credential.token.id, read)
        });
        Ok(found.collect())
    }
}
