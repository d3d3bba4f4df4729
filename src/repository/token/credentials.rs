//! What many presented secrets are judged by, in one read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use diesel::prelude::*;

use super::CredentialRead;
use super::read::{JudgedRow, judged};
use crate::db::{
    ClockMark, ClockReading, DbError, DbId, DbInstant, Fetch, api_tokens, policy, read, users,
};
use crate::domain::api_token::Credential;
use crate::domain::id::ApiTokenId;
use crate::domain::secret::SecretTag;
use crate::repository::Repository;
use crate::repository::rows::{ApiTokenRow, PolicyRow, UserRow};

impl Repository {
    /// What [`Self::credential`] finds for each of these tokens: those that are not known to be
    /// unchanged in one indexed read.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn credentials(
        &self,
        presented: &[(ApiTokenId, &SecretTag)],
    ) -> Result<HashMap<ApiTokenId, CredentialRead>, DbError> {
        let counts = |known: &Credential, tag: &&SecretTag| tag.is_same(known.secret.tag.as_ref());
        self.read_credentials(presented, counts).await
    }

    /// The same for tokens whose secrets were proven.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn proven_credentials(
        &self,
        ids: &[ApiTokenId],
    ) -> Result<HashMap<ApiTokenId, CredentialRead>, DbError> {
        let wanted: Vec<(ApiTokenId, ())> = ids.iter().map(|id| (*id, ())).collect();
        self.read_credentials(&wanted, |_, ()| true).await
    }

    async fn read_credentials<P>(
        &self,
        presented: &[(ApiTokenId, P)],
        counts: impl Fn(&Credential, &P) -> bool,
    ) -> Result<HashMap<ApiTokenId, CredentialRead>, DbError> {
        tracing::debug!(count = presented.len(), "credentials");
        let start = Instant::now();
        let stamp = self.db.stamp();
        let (mut found, mut wanted) = (HashMap::with_capacity(presented.len()), Vec::new());
        for (id, presented) in presented {
            let counts = |known: &Credential| counts(known, presented);
            match self.known_credential(*id, stamp, start, counts) {
                Some(known) => drop(found.insert(*id, known)),
                None => wanted.push(DbId(id.uuid())),
            }
        }
        if wanted.is_empty() {
            return Ok(found);
        }
        let clock = Arc::clone(&self.clock);
        let (rows, start, own) = read!(self.db, |conn| {
            let (start, own) = (Instant::now(), clock.own());
            let rows: QueryResult<Vec<JudgedRow>> =
                judged!(own).filter(api_tokens::id.eq_any(wanted.clone())).all(conn).await;
            rows.map(|rows| (rows, start, own))
        })?;
        found.extend(rows.into_iter().map(|row| {
            let read = self.judged_by(row, stamp, start, own);
            (read.credential.token.id, read)
        }));
        Ok(found)
    }
}
