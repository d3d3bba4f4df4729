//! What many presented secrets are judged by, in one read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use diesel::prelude::*;

use super::CredentialRead;
use crate::db::{
    ClockMark, ClockReading, DbError, DbId, DbInstant, Fetch, api_tokens, read, users,
};
use crate::domain::clock;
use crate::domain::id::ApiTokenId;
use crate::repository::Repository;
use crate::repository::clock::seen;
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
            let rows: QueryResult<Vec<(ApiTokenRow, UserRow, DbInstant, DbInstant)>> =
                api_tokens::table
                    .inner_join(users::table)
                    .filter(api_tokens::id.eq_any(wanted))
                    .select((
                        ApiTokenRow::as_select(),
                        UserRow::as_select(),
                        ClockReading(DbInstant(own)),
                        ClockMark,
                    ))
                    .all(conn)
                    .await;
            rows.map(|rows| (rows, start, own))
        })?;
        let found = rows.into_iter().map(|(token, user, time, mark)| {
            let reading = clock::ClockReading { own, time: time.0, mark: mark.0 };
            let now = seen(&self.clock, reading);
            let read = CredentialRead { credential: Arc::new((token, user).into()), now, start };
            (read.credential.token.id, read)
        });
        Ok(found.collect())
    }
}
