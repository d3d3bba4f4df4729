//! Making notices of the end of tokens, and removing them when they are old.

use std::collections::HashSet;

use diesel::dsl::delete;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::insert_notices::InsertNotices;
use crate::db::{
    DbError, DbId, DbInstant, Fetch, api_tokens, expiry_notices, policy, read, write_tx,
};
use crate::domain::audit::AuditEvent;
use crate::domain::clock::Instant;
use crate::domain::expiry_notice::ExpiryNotice;
use crate::domain::id::ApiTokenId;
use crate::domain::policy::Policy;
use crate::repository::Repository;
use crate::repository::audit::record;
use crate::repository::rows::PolicyRow;

/// Rows that are removed at once.
const BATCH: i64 = 500;

/// What became of notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noticed {
    /// So many were made. The others had been made before, or their tokens no longer end then.
    Made(usize),
    /// The policy by which they are due has changed; none was made.
    PolicyChanged,
}

/// The notices that there are of these tokens, loaded by a connection.
macro_rules! notices_of {
    ($ids:expr) => {
        expiry_notices::table.filter(expiry_notices::api_token_id.eq_any($ids)).select((
            expiry_notices::api_token_id,
            expiry_notices::expiry,
            expiry_notices::seconds,
        ))
    };
}

type Made = (DbId, DbInstant, i32);

/// Is there no notice yet of this end that makes this one needless? One that is nearer to it does:
/// after that, the earlier time is no news.
fn is_news(notice: &ExpiryNotice, made: &[Made]) -> bool {
    let (token, time) = (notice.token.uuid(), notice.time.seconds());
    !made
        .iter()
        .any(|(id, expiry, seconds)| id.0 == token && expiry.0 == notice.expiry && *seconds <= time)
}

impl Repository {
    /// Those of these notices that were not made yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn new_notices(
        &self,
        notices: Vec<ExpiryNotice>,
    ) -> Result<Vec<ExpiryNotice>, DbError> {
        let ids: Vec<DbId> = notices.iter().map(|notice| DbId(notice.token.uuid())).collect();
        let made: Vec<Made> = read!(self.db, |conn| notices_of!(ids.clone()).all(conn).await)?;
        Ok(notices.into_iter().filter(|notice| is_news(notice, &made)).collect())
    }

    /// Makes notices that are due under this policy, at most one of each token, in the order of the
    /// ids, and stores the event of each. Who inserts the row stores the event, in the same
    /// transaction: so there is one of each, however many instances do this at once, and whenever
    /// one of them ends.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn make_notices(
        &self,
        due_by: Policy,
        notices: Vec<(ExpiryNotice, AuditEvent)>,
    ) -> Result<Noticed, DbError> {
        tracing::debug!(count = notices.len(), "make_notices");
        write_tx!(self.db, |conn| {
            let row: PolicyRow =
                policy::table.select(PolicyRow::as_select()).get_result(conn).await?;
            if Policy::from(row).version != due_by.version {
                return Ok(Noticed::PolicyChanged);
            }
            let ids: Vec<DbId> =
                notices.iter().map(|(notice, _)| DbId(notice.token.uuid())).collect();
            let ends: Vec<(DbId, DbInstant, DbInstant)> = api_tokens::table
                .filter(api_tokens::id.eq_any(ids.clone()))
                .filter(api_tokens::deleted_date.is_null())
                .filter(api_tokens::enabled)
                .select((api_tokens::id, api_tokens::creation_date, api_tokens::expiry))
                .load(conn)
                .await?;
            let ends: HashSet<(uuid::Uuid, Instant)> = ends
                .into_iter()
                .map(|(id, created, expiry)| (id.0, due_by.end(created.0, expiry.0)))
                .collect();
            let made: Vec<Made> = notices_of!(ids).load(conn).await?;
            let still = notices.iter().map(|(notice, _)| *notice).filter(|notice| {
                ends.contains(&(notice.token.uuid(), notice.expiry)) && is_news(notice, &made)
            });
            let still: Vec<ExpiryNotice> = still.collect();
            if still.is_empty() {
                return Ok(Noticed::Made(0));
            }
            let inserted: Vec<DbId> = InsertNotices::of(&still).get_results(conn).await?;
            let inserted: HashSet<_> = inserted.into_iter().map(|id| id.0).collect();
            let events =
                notices.iter().filter(|(notice, _)| inserted.contains(&notice.token.uuid()));
            let events: Vec<&AuditEvent> = events.map(|(_, event)| event).collect();
            if !events.is_empty() {
                record!(conn, events);
            }
            Ok(Noticed::Made(inserted.len()))
        })
    }

    /// Removes some notices of ends before this instant; returns how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_notices(&self, before: Instant) -> Result<usize, DbError> {
        let before = DbInstant(before);
        let ids: Vec<DbId> = read!(self.db, |conn| expiry_notices::table
            .filter(expiry_notices::expiry.lt(before))
            .order(expiry_notices::expiry)
            .limit(BATCH)
            .select(expiry_notices::api_token_id)
            .load(conn)
            .await)?;
        if ids.is_empty() {
            return Ok(0);
        }
        write_tx!(self.db, |conn| {
            delete(expiry_notices::table)
                .filter(expiry_notices::api_token_id.eq_any(ids))
                .filter(expiry_notices::expiry.lt(before))
                .execute(conn)
                .await
        })
    }

    /// Removes all notices of tokens.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_notices_of(&self, tokens: &[ApiTokenId]) -> Result<(), DbError> {
        let ids: Vec<DbId> = tokens.iter().map(|id| DbId(id.uuid())).collect();
        write_tx!(self.db, |conn| {
            delete(expiry_notices::table)
                .filter(expiry_notices::api_token_id.eq_any(ids))
                .execute(conn)
                .await
        })?;
        Ok(())
    }
}
