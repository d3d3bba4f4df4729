//! Removing for good what is old: audit events, and the rows of deleted tokens.
//!
//! A row of a deleted token is kept as long as a token that it created, or that was renewed from
//! it, has a row: the descendants of a token are found through it. It is also kept as long as a
//! token that it disabled is disabled, because its reach decides who may enable that one. Users are
//! never removed, because events and tokens name them.

use std::collections::HashSet;

use diesel::dsl::{delete, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Repository;
use crate::db::{DbError, DbId, DbInstant, api_tokens, audit_events, read, write_tx};
use crate::domain::clock::Instant;
use crate::domain::id::ApiTokenId;

/// Rows in one transaction, which keeps other writers waiting.
const BATCH: i64 = 500;

/// A step through the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrunedTokens {
    /// How many rows were removed.
    pub removed: usize,
    /// Where the next step begins; `None` after the last one.
    pub next: Option<ApiTokenId>,
}

impl Repository {
    /// Removes some events dated before this instant, the oldest first; returns how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn prune_audit_events(&self, before: Instant) -> Result<usize, DbError> {
        let before = DbInstant(before);
        let ids: Vec<DbId> = read!(self.db, |conn| audit_events::table
            .filter(audit_events::date.lt(before))
            .order((audit_events::date, audit_events::id))
            .limit(BATCH)
            .select(audit_events::id)
            .load(conn)
            .await)?;
        if ids.is_empty() {
            return Ok(0);
        }
        write_tx!(self.db, |conn| {
            delete(audit_events::table).filter(audit_events::id.eq_any(ids)).execute(conn).await
        })
    }

    /// Removes, of the next rows below this id, those of tokens that were deleted before this
    /// instant. The youngest come first, because they are what older ones are kept for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn prune_api_tokens(
        &self,
        before: Instant,
        below: Option<ApiTokenId>,
    ) -> Result<PrunedTokens, DbError> {
        let below = DbId(below.map_or(uuid::Uuid::max(), ApiTokenId::uuid));
        let page: Vec<(DbId, DbId, Option<DbInstant>)> = read!(self.db, |conn| api_tokens::table
            .filter(api_tokens::id.lt(below))
            .order(api_tokens::id.desc())
            .limit(BATCH)
            .select((api_tokens::id, api_tokens::user_id, api_tokens::deleted_date))
            .load(conn)
            .await)?;
        let next = page.last().map(|(id, ..)| ApiTokenId::from_uuid(id.0));
        let is_old = |deleted: &Option<DbInstant>| deleted.is_some_and(|date| date.0 < before);
        let old = page.into_iter().filter(|(.., deleted)| is_old(deleted));
        let mut left: Vec<(DbId, DbId)> = old.map(|(id, user, _)| (id, user)).collect();
        if left.is_empty() {
            return Ok(PrunedTokens { removed: 0, next });
        }
        let removed = write_tx!(self.db, |conn| {
            let mut removed = 0;
            loop {
                let (ids, users): (Vec<DbId>, Vec<DbId>) = left.iter().copied().unzip();
                let ancestors: Vec<DbId> = api_tokens::table
                    .filter(api_tokens::renewed_from_id.eq_any(ids.clone()))
                    .select(api_tokens::renewed_from_id.assume_not_null())
                    .distinct()
                    .load(conn)
                    .await?;
                let disablers: Vec<DbId> = api_tokens::table
                    .filter(api_tokens::disabled_api_token_id.eq_any(ids))
                    .filter(api_tokens::deleted_date.is_null())
                    .filter(not(api_tokens::enabled))
                    .select(api_tokens::disabled_api_token_id.assume_not_null())
                    .distinct()
                    .load(conn)
                    .await?;
                let makers: Vec<DbId> = api_tokens::table
                    .filter(api_tokens::created_user_id.eq_any(users))
                    .select(api_tokens::created_user_id)
                    .distinct()
                    .load(conn)
                    .await?;
                let named = ancestors.iter().chain(&makers).chain(&disablers);
                let named: HashSet<_> = named.map(|id| id.0).collect();
                let (kept, free): (Vec<_>, Vec<_>) = std::mem::take(&mut left)
                    .into_iter()
                    .partition(|(id, user)| named.contains(&id.0) || named.contains(&user.0));
                if free.is_empty() {
                    break;
                }
                let free: Vec<DbId> = free.into_iter().map(|(id, _)| id).collect();
                removed += delete(api_tokens::table)
                    .filter(api_tokens::id.eq_any(free))
                    .execute(conn)
                    .await?;
                // What was kept for one that is gone now may go too.
                left = kept;
            }
            Ok(removed)
        })?;
        Ok(PrunedTokens { removed, next })
    }
}
