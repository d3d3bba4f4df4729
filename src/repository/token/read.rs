//! Queries on API tokens.
//!
//! A single row is read with `get_result`, never with `first`, which binds a LIMIT: SQLite compiles
//! a statement again whenever a value is bound to its LIMIT. Measured, that was a third of an
//! authenticated request.

use std::sync::Arc;
use std::time::Instant;

use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::known_credentials::Row;
use crate::db::{
    ClockMark, ClockReading, DbError, DbId, DbInstant, Fetch, Stamp, api_tokens, point, policy,
    read, users,
};
use crate::domain::api_token::{ApiToken, Credential};
use crate::domain::clock;
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::secret::SecretTag;
use crate::repository::Repository;
use crate::repository::clock::seen;
use crate::repository::rows::{ApiTokenRow, PolicyRow, UserRow};

/// A credential as it was read.
#[derive(Debug, Clone)]
pub struct CredentialRead {
    /// What a presented secret is judged by.
    pub credential: Arc<Credential>,
    /// The time by which it is judged.
    pub now: clock::Instant,
    /// When the read began, for measuring how long ago that is.
    pub start: Instant,
}

/// A token, its user, the policy, the time of the database, and the latest one that it was told.
pub(super) type JudgedRow = (ApiTokenRow, UserRow, PolicyRow, DbInstant, DbInstant);

/// The rows that secrets are judged by; to be narrowed to some tokens. The policy is read in the
/// same statement, so that no token passes by a policy that has changed. `$own`: the time by our own
/// clock right before the statement.
macro_rules! judged {
    ($own:expr) => {
        api_tokens::table
            .inner_join(users::table)
            .inner_join(policy::table.on(policy::id.eq(1)))
            .select((
                ApiTokenRow::as_select(),
                UserRow::as_select(),
                PolicyRow::as_select(),
                ClockReading(DbInstant($own)),
                ClockMark,
            ))
    };
}

pub(super) use judged;

impl Repository {
    /// What a presented secret is judged by, deleted tokens included, and the time by which it is
    /// judged: one indexed read, or the proof that the row is unchanged since the last one. Only for
    /// the holder of the secret can it be the latter: for others, a token that exists takes as long
    /// as one that does not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn credential(
        &self,
        id: ApiTokenId,
        presented: &SecretTag,
    ) -> Result<Option<CredentialRead>, DbError> {
        self.read_credential(id, |known| presented.is_same(known.secret.tag.as_ref())).await
    }

    /// The same for a token whose secret was proven.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn proven_credential(
        &self,
        id: ApiTokenId,
    ) -> Result<Option<CredentialRead>, DbError> {
        self.read_credential(id, |_| true).await
    }

    async fn read_credential(
        &self,
        id: ApiTokenId,
        counts: impl Fn(&Credential) -> bool,
    ) -> Result<Option<CredentialRead>, DbError> {
        tracing::debug!("credential");
        let start = Instant::now();
        let stamp = self.db.stamp();
        if let Some(known) = self.known_credential(id, stamp, start, counts) {
            return Ok(Some(known));
        }
        let clock = Arc::clone(&self.clock);
        let found = point!(self.db, |conn| {
            let (start, own) = (Instant::now(), clock.own());
            let row: QueryResult<JudgedRow> =
                judged!(own).filter(api_tokens::id.eq(DbId(id.uuid()))).one(conn).await;
            row.optional().map(|row| row.map(|row| (row, start, own)))
        })?;
        Ok(found.map(|(row, start, own)| self.judged_by(row, stamp, start, own)))
    }

    /// What was read before and is unchanged at this stamp, which was taken after `start`.
    pub(super) fn known_credential(
        &self,
        id: ApiTokenId,
        stamp: Option<Stamp>,
        start: Instant,
        counts: impl Fn(&Credential) -> bool,
    ) -> Option<CredentialRead> {
        let row = self.known.get(id, stamp?).filter(|row| counts(&row.credential))?;
        // Without a commit in between, the row and the mark are the same; the clock is our own, as
        // it is wherever there are stamps.
        let own = self.clock.own();
        let reading = clock::ClockReading { own, time: own, mark: row.mark };
        let now = seen(&self.clock, reading);
        Some(CredentialRead { credential: row.credential, now, start })
    }

    /// What a secret is judged by: a row, read from this instant on, when our own clock showed this
    /// time. It is kept for as long as the stamp stays, which was taken before.
    pub(super) fn judged_by(
        &self,
        (token, user, policy, time, mark): JudgedRow,
        stamp: Option<Stamp>,
        start: Instant,
        own: clock::Instant,
    ) -> CredentialRead {
        let reading = clock::ClockReading { own, time: time.0, mark: mark.0 };
        let now = seen(&self.clock, reading);
        let credential: Arc<Credential> = Arc::new((token, user, policy).into());
        if let Some(stamp) = stamp {
            let row = Row { credential: Arc::clone(&credential), mark: mark.0 };
            self.known.keep(credential.token.id, stamp, row);
        }
        CredentialRead { credential, now, start }
    }

    /// A token that is not deleted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_token(&self, id: ApiTokenId) -> Result<Option<ApiToken>, DbError> {
        let row: Option<ApiTokenRow> = point!(self.db, |conn| api_tokens::table
            .filter(api_tokens::id.eq(DbId(id.uuid())))
            .filter(api_tokens::deleted_date.is_null())
            .select(ApiTokenRow::as_select())
            .one(conn)
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
            .filter(api_tokens::user_id.eq_any(ids.clone()))
            .filter(api_tokens::deleted_date.is_null())
            .select(ApiTokenRow::as_select())
            .all(conn)
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
            .filter(api_tokens::id.eq_any(ids.clone()))
            .filter(api_tokens::deleted_date.is_null())
            .select(ApiTokenRow::as_select())
            .all(conn)
            .await)?;
        Ok(rows.into_iter().map(ApiToken::from).collect())
    }

    /// Is there a token that was not deleted?
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_api_tokens(&self) -> Result<bool, DbError> {
        let live = api_tokens::table.filter(api_tokens::deleted_date.is_null());
        read!(self.db, |conn| select(exists(live.select(api_tokens::id))).one(conn).await)
    }

    /// Asks the database for a trivial answer from the migrated tables, and for the policy, without
    /// which no token is known.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ping(&self) -> Result<(), DbError> {
        let system = DbId(UserId::SYSTEM.uuid());
        let _found: DbId = read!(self.db, |conn| users::table
            .filter(users::id.eq(system))
            .select(users::id)
            .one(conn)
            .await)?;
        self.has_api_tokens().await?;
        self.policy().await?;
        Ok(())
    }
}
