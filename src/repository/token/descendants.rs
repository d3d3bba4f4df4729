//! A token together with what came of it: the tokens that it made or that renewed it, and theirs in
//! turn, to any depth.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use diesel::dsl::auto_type;
use diesel::prelude::*;

use super::Unclaimed;
use crate::db::{DbId, DbInstant, InLine, KeyLocks, api_tokens};
use crate::domain::audit::{AuditChange, AuditEvent};
use crate::domain::clock::Instant;
use crate::domain::id::ApiTokenId;
use crate::domain::principal::Principal;
use crate::domain::random::RandomError;

/// Most rows that one statement names; SQLite allows 32,766 values.
const BATCH: usize = 1_000;

/// Most locks by id of one transaction. PostgreSQL has room for 64 per connection in all, 6,400 by
/// default (`max_locks_per_transaction`).
const MOST_KEYS: usize = 1_000;

/// How the descendants of a token share its fate.
pub struct Descendants {
    /// Most of them; `None`: all.
    pub most: Option<usize>,
    /// Makes the event of one of them.
    pub event: EventOf,
}

impl Descendants {
    /// The event of one of them, within a transaction.
    pub(super) fn event(
        &self,
        id: ApiTokenId,
        changes: Vec<AuditChange>,
    ) -> QueryResult<AuditEvent> {
        (self.event)(id, changes)
            .map_err(|error| diesel::result::Error::QueryBuilderError(Box::new(error)))
    }
}

/// Makes an event about a token, of these changes.
pub type EventOf =
    Box<dyn Fn(ApiTokenId, Vec<AuditChange>) -> Result<AuditEvent, RandomError> + Send + Sync>;

/// A live token that is locked.
#[derive(Debug, Clone, Copy, Queryable, Selectable)]
#[diesel(table_name = api_tokens, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(super) struct LockedRow {
    id: DbId,
    version: i32,
    last_modified_date: DbInstant,
}

/// A token and its descendants, as far as they are claimed.
pub(super) struct Line {
    root: ApiTokenId,
    /// The version that the token must be at.
    version: Option<i32>,
    /// The token that asks, and the version that it was judged by.
    caller: Option<(ApiTokenId, i32)>,
    /// The descendants.
    found: BTreeSet<ApiTokenId>,
    /// What a lock was asked for.
    asked: BTreeSet<ApiTokenId>,
    /// What lives and is locked.
    held: BTreeMap<ApiTokenId, LockedRow>,
}

/// Why nothing of a line is claimed.
pub(super) enum LineRefused {
    Unclaimed(Unclaimed),
    TooMany,
}

impl Line {
    pub(super) fn of(caller: &Principal, root: ApiTokenId, version: Option<i32>) -> Self {
        let caller = caller.api_token().map(|own| (own.id, own.version));
        let (found, asked) = (BTreeSet::new(), BTreeSet::new());
        Self { root, version, caller, found, asked, held: BTreeMap::new() }
    }

    pub(super) const fn root(&self) -> DbId {
        DbId(self.root.uuid())
    }

    /// What is still to be locked: of what was found, the token itself, and the caller's, which
    /// must not change before this is done.
    pub(super) fn not_held(&mut self, found: &[DbId]) -> Vec<DbId> {
        self.found.extend(found.iter().map(|id| ApiTokenId::from_uuid(id.0)));
        let mut all = self.found.clone();
        all.extend(self.caller.map(|(id, _)| id).into_iter().chain([self.root]));
        let new = all.difference(&self.asked).map(|id| DbId(id.uuid())).collect();
        self.asked.extend(all);
        new
    }

    /// The locks of these tokens, for which to queue fairly: none beyond what the server has room
    /// for. Their rows are locked in any case.
    pub(super) fn keys_of(&self, new: &[DbId]) -> KeyLocks {
        keys_of(self.asked.len(), new)
    }

    pub(super) fn hold(&mut self, rows: Vec<LockedRow>) {
        self.held.extend(rows.into_iter().map(|row| (ApiTokenId::from_uuid(row.id.0), row)));
    }

    /// The claimed line, if the caller and the token are as they were seen.
    pub(super) fn judged(self) -> Result<Self, LineRefused> {
        if let Some((id, version)) = self.caller
            && self.held.get(&id).is_none_or(|own| own.version != version)
        {
            return Err(LineRefused::Unclaimed(Unclaimed::CallerChanged));
        }
        match (self.held.get(&self.root), self.version) {
            (Some(token), Some(version)) if token.version != version => {
                let current_version = token.version;
                Err(LineRefused::Unclaimed(Unclaimed::Stale { current_version }))
            }
            _ => Ok(self),
        }
    }

    /// Does the token itself live?
    pub(super) fn has_root(&self) -> bool {
        self.held.contains_key(&self.root)
    }

    /// The live descendants.
    pub(super) fn descendants(&self) -> Vec<ApiTokenId> {
        self.held.keys().copied().filter(|id| self.found.contains(id)).collect()
    }

    /// The date of a change of all of them: after the last one of each.
    pub(super) fn date(&self, wanted: Instant) -> Instant {
        let last = self.held.values().map(|row| row.last_modified_date.0).max();
        last.map_or(wanted, |last| wanted.max(last + TimeDelta::microseconds(1)))
    }
}

/// The locks of these tokens, where a transaction takes so many in all.
pub(super) fn keys_of(in_all: usize, new: &[DbId]) -> KeyLocks {
    if in_all > MOST_KEYS {
        return KeyLocks::default();
    }
    new.iter().fold(KeyLocks::default(), |locks, id| locks.alone(id.0))
}

/// As many at once as one statement may name.
pub(super) fn batches(ids: Vec<DbId>) -> Vec<Vec<DbId>> {
    ids.chunks(BATCH).map(<[DbId]>::to_vec).collect()
}

/// Claims a token and all that came of it, so that no other transaction can change them or make
/// another token with them. Fails with `RollbackTransaction` when the caller may no longer act.
///
/// Who makes or renews a token holds its maker and the renewed one until the commit. So a token
/// that is being made by one of them is either waited for here and found by the next search, or its
/// making waits for this transaction and then finds that its maker has changed. The search goes on
/// until it finds nothing new. All are claimed in the order of their ids, the caller among them;
/// what a later search finds is newer, so its ids follow, unless the clocks of two instances
/// differ. Then two transactions may wait for each other, and PostgreSQL ends the one that has
/// waited longer: the one that asked for what is held here.
///
/// It is one transaction for all: either the whole line ends or nothing of it does.
macro_rules! claim_line {
    ($conn:expr, $principal:expr, $root:expr, $version:expr, $most:expr, $clock:expr) => {{
        use $crate::db::{LockKeys as _, Locked};
        use $crate::repository::token::caller::{JudgedToken, ensure_current};
        use $crate::repository::token::descendants::{
            Line, LineRefused, LockedRow, batches, live_descendants,
        };
        let mut line = Line::of($principal, $root, $version);
        loop {
            let found: Vec<DbId> = live_descendants(line.root()).load($conn).await?;
            if $most.is_some_and(|most: usize| found.len() > most) {
                break Err(LineRefused::TooMany);
            }
            let new = line.not_held(&found);
            if new.is_empty() {
                ensure_current($conn, JudgedToken::of($principal), $clock).await?;
                break line.judged();
            }
            $conn.lock_keys(&line.keys_of(&new)).await?;
            for batch in batches(new) {
                let rows: Vec<LockedRow> = Locked(
                    api_tokens::table
                        .filter(api_tokens::id.eq_any(batch))
                        .filter(api_tokens::deleted_date.is_null())
                        .order(api_tokens::id)
                        .select(LockedRow::as_select()),
                )
                .load($conn)
                .await?;
                line.hold(rows);
            }
        }
    }};
}

pub(super) use claim_line;

#[auto_type]
pub(super) fn live_descendants(root: DbId) -> _ {
    let in_line: InLine<api_tokens::id> = InLine::descendants(api_tokens::id, root);
    api_tokens::table
        .filter(in_line)
        .filter(api_tokens::deleted_date.is_null())
        .select(api_tokens::id)
}
