//! Revoking many tokens at once, which disables them.
//!
//! It is one transaction that changes the rows of the tokens themselves. So all of them are refused
//! from the same request on, and whatever looks at a token sees it: judging, lists and filters, the
//! changes that it has begun, what follows its state. A mark beside the rows would be written
//! faster, but each of those would have to ask for it. What is chosen is exactly what is there when
//! all of it is locked, and a crash leaves all of it done or nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use diesel::dsl::auto_type;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::caller::{JudgedToken, ensure_current};
use super::conditions::{Conditions, filtered};
use super::descendants::{EventOf, batches, keys_of};
use super::disabler::{DisabledRow, disable_claimed, disablers_of, to_disable};
use crate::db::{
    DbError, DbId, DbInstant, Fetch, LockKeys, Locked, Priority, api_tokens, read, search, write_tx,
};
use crate::domain::audit::{AuditChange, AuditEvent};
use crate::domain::clock::Instant;
use crate::domain::id::ApiTokenId;
use crate::domain::policy::Policy;
use crate::domain::principal::Principal;
use crate::domain::revocation::{Choice, Revocation};
use crate::domain::user::UserInfo;
use crate::repository::Repository;
use crate::repository::audit::record_each;
use crate::repository::list::timed;
use crate::repository::rows::ApiTokenRow;

/// How often tokens are searched that came while others were locked. Whoever goes on making tokens
/// does not keep a revocation from its end.
const SEARCHES: usize = 5;

/// Which tokens to revoke.
pub struct RevokeMany {
    /// What is asked for.
    pub revocation: Revocation,
    /// The policy by which the filter judges.
    pub policy: Policy,
    /// The instant at which it judges.
    pub now: Instant,
    /// Most tokens that are looked at.
    pub most: usize,
    /// `Some`: if there are more, only the first of those whose ids follow this one.
    pub after: Option<ApiTokenId>,
}

/// How a revocation is recorded.
pub struct RevocationRecord {
    /// Makes the event of one of the tokens.
    pub event: EventOf,
    /// What each event tells about the revocation.
    pub notes: Vec<AuditChange>,
}

/// What a revocation does or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// How many tokens are disabled by it.
    pub count: usize,
    /// How many others of those chosen are disabled already, and stay so.
    pub already_disabled: usize,
    /// Whether the filter chose the caller's own token, which was left out.
    pub own_left_out: bool,
    /// Where the next part begins, if there is one.
    pub next: Option<ApiTokenId>,
}

/// What became of a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokeOutcome {
    /// It is done, or would be.
    Done(Revoked),
    /// It names tokens that do not exist or were deleted; nothing was changed.
    Missing(BTreeSet<ApiTokenId>),
    /// It is about more tokens than allowed; nothing was changed.
    TooMany,
    /// Another number of tokens would be revoked than expected; nothing was changed.
    Unexpected {
        /// How many.
        count: usize,
    },
    /// The token that asks has changed since it was judged, was deleted or has ended.
    CallerChanged,
}

/// What is searched for.
struct Sought {
    conditions: Conditions,
    ids: Option<Vec<DbId>>,
    named: BTreeSet<ApiTokenId>,
    except: BTreeSet<ApiTokenId>,
    /// The caller's token, if it is to be left out.
    own: Option<ApiTokenId>,
    expected: Option<usize>,
    most: usize,
    after: Option<ApiTokenId>,
}

/// What was found.
struct Found {
    rows: Vec<DisabledRow>,
    own_left_out: bool,
    next: Option<ApiTokenId>,
}

/// What is to be done.
struct Plan {
    disabled: Vec<(ApiTokenId, bool)>,
    /// The latest change of any of them.
    last_modified: Instant,
    revoked: Revoked,
}

impl Sought {
    fn of(caller: &Principal, wanted: RevokeMany) -> Self {
        let RevokeMany { revocation, policy, now, most, after } = wanted;
        let own = caller.api_token().map(|own| own.id);
        let own = own.filter(|own| !revocation.names(*own));
        let (conditions, ids) = match &revocation.choice {
            Choice::Ids(ids) => {
                let ids: BTreeSet<_> = ids.iter().map(|id| id.uuid()).collect();
                (Conditions::default(), Some(ids.into_iter().map(DbId).collect()))
            }
            Choice::Filter(filter) => (Conditions::of(filter, &policy, now), None),
        };
        Self {
            conditions,
            ids,
            named: revocation.named().map(|(.., id)| id).collect(),
            except: revocation.left_out(),
            own,
            expected: revocation.expected_count,
            most,
            after,
        }
    }

    /// As many rows as are read: one more than allowed, apart from those that are left out.
    fn limit(&self) -> i64 {
        let left_out = self.except.len() + usize::from(self.own.is_some());
        i64::try_from(self.most + left_out + 1).unwrap_or(i64::MAX)
    }

    fn named(&self) -> Vec<DbId> {
        self.named.iter().map(|id| DbId(id.uuid())).collect()
    }

    fn ensure_there(&self, there: Vec<DbId>) -> Result<(), RevokeOutcome> {
        let there = there.into_iter().map(|id| ApiTokenId::from_uuid(id.0)).collect();
        let missing: BTreeSet<_> = self.named.difference(&there).copied().collect();
        if missing.is_empty() { Ok(()) } else { Err(RevokeOutcome::Missing(missing)) }
    }

    /// Those to be revoked, of all that meet the conditions.
    fn found(&self, mut rows: Vec<DisabledRow>) -> Result<Found, RevokeOutcome> {
        let chosen = rows.len();
        rows.retain(|row| Some(id_of(row)) != self.own || self.except.contains(&id_of(row)));
        let own_left_out = rows.len() < chosen;
        rows.retain(|row| !self.except.contains(&id_of(row)));
        let mut next = None;
        if rows.len() > self.most {
            if self.after.is_none() {
                return Err(RevokeOutcome::TooMany);
            }
            rows.truncate(self.most);
            next = rows.last().map(id_of);
        }
        Ok(Found { rows, own_left_out, next })
    }

    fn plan(
        &self,
        found: Found,
        disablers: Vec<ApiTokenRow>,
        caller: &Principal,
    ) -> Result<Plan, RevokeOutcome> {
        let Found { rows, own_left_out, next } = found;
        let chosen = rows.len();
        let last_modified = rows.iter().map(DisabledRow::last_modified).max().unwrap_or_default();
        let disabled = to_disable(rows, disablers, caller);
        let count = disabled.len();
        if self.expected.is_some_and(|expected| expected != count) {
            return Err(RevokeOutcome::Unexpected { count });
        }
        let already_disabled = chosen.saturating_sub(count);
        let revoked = Revoked { count, already_disabled, own_left_out, next };
        Ok(Plan { disabled, last_modified, revoked })
    }
}

const fn locks_rows<C: LockKeys>(_: &C) -> bool {
    C::LOCKS_ROWS
}

fn id_of(row: &DisabledRow) -> ApiTokenId {
    ApiTokenId::from_uuid(row.id().0)
}

/// All live tokens that meet the conditions, in the order of their ids; one more than allowed where
/// there are too many.
macro_rules! chosen {
    ($query:expr, $sought:expr) => {{
        let sought: &Sought = $sought;
        let mut query = filtered!($query, sought.conditions.clone());
        if let Some(ids) = &sought.ids {
            query = query.filter(api_tokens::id.eq_any(ids.clone()));
        }
        if let Some(after) = sought.after {
            query = query.filter(api_tokens::id.gt(DbId(after.uuid())));
        }
        query.order(api_tokens::id.asc()).limit(sought.limit())
    }};
}

impl Repository {
    /// What a revocation would do now. Nothing is locked, and nothing is changed.
    ///
    /// # Errors
    /// When the database does not answer, or it takes too long.
    pub async fn try_revocation(
        &self,
        caller: &Principal,
        wanted: RevokeMany,
    ) -> Result<RevokeOutcome, DbError> {
        let sought = Arc::new(Sought::of(caller, wanted));
        tracing::debug!("try_revocation");
        let named = sought.named();
        let there = read!(self.db, |conn| live(named.clone()).load(conn).await)?;
        if let Err(outcome) = sought.ensure_there(there) {
            return Ok(outcome);
        }
        let asked = Arc::clone(&sought);
        let rows: Vec<DisabledRow> = search!(self.db, |conn| {
            let query = api_tokens::table.select(DisabledRow::as_select()).into_boxed();
            chosen!(timed!(query, false), &asked).all(conn).await
        })?;
        let found = match sought.found(rows) {
            Ok(found) => found,
            Err(outcome) => return Ok(outcome),
        };
        let rows = found.rows.clone();
        let disablers = read!(self.db, |conn| Ok(disablers_of!(conn, &rows)))?;
        Ok(match sought.plan(found, disablers, caller) {
            Ok(plan) => RevokeOutcome::Done(plan.revoked),
            Err(outcome) => outcome,
        })
    }

    /// Disables the chosen tokens and stores their events: all of it or nothing.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where they may have been
    /// disabled.
    pub async fn revoke_many(
        &self,
        caller: &Principal,
        wanted: RevokeMany,
        record: RevocationRecord,
    ) -> Result<RevokeOutcome, DbError> {
        tracing::debug!("revoke_many");
        let (caller, own) = (caller.clone(), JudgedToken::of(caller));
        let now = wanted.now;
        let sought = Sought::of(&caller, wanted);
        let clock = Arc::clone(&self.clock);
        let outcome = write_tx!(self.db, Priority::Revocation, |conn| {
            let mut asked: BTreeSet<ApiTokenId> = BTreeSet::new();
            let mut searches = 0;
            let found = loop {
                let query = api_tokens::table.select(DisabledRow::as_select()).into_boxed();
                let rows: Vec<DisabledRow> = chosen!(query, &sought).all(conn).await?;
                searches += 1;
                if !locks_rows(conn) {
                    break sought.found(rows);
                }
                let mut found = match sought.found(rows) {
                    Ok(found) => found,
                    Err(outcome) => break Err(outcome),
                };
                let all = found.rows.iter().map(id_of).chain(caller.api_token().map(|own| own.id));
                let new: BTreeSet<_> = all.filter(|id| !asked.contains(id)).collect();
                if new.is_empty() || searches > SEARCHES {
                    found.rows.retain(|row| asked.contains(&id_of(row)));
                    break Ok(found);
                }
                asked.extend(&new);
                let new: Vec<DbId> = new.into_iter().map(|id| DbId(id.uuid())).collect();
                conn.lock_keys(&keys_of(asked.len(), &new)).await?;
                for batch in batches(new) {
                    let _locked: Vec<DbId> = Locked(live(batch)).load(conn).await?;
                }
            };
            ensure_current(conn, own, &clock).await?;
            let found = match found {
                Ok(found) => found,
                Err(outcome) => return Ok(outcome),
            };
            let there = live(sought.named()).load(conn).await?;
            if let Err(outcome) = sought.ensure_there(there) {
                return Ok(outcome);
            }
            let disablers = disablers_of!(conn, &found.rows);
            let Plan { disabled, last_modified, revoked } =
                match sought.plan(found, disablers, &caller) {
                    Ok(plan) => plan,
                    Err(outcome) => return Ok(outcome),
                };
            if disabled.is_empty() {
                return Ok(RevokeOutcome::Done(revoked));
            }
            let date = now.max(last_modified + TimeDelta::microseconds(1));
            let actor = caller.user();
            let actor_token = caller.api_token().map(|own| own.id);
            for batch in batches(disabled.iter().map(|(id, _)| DbId(id.uuid())).collect()) {
                disable_claimed!(conn, batch, &actor, actor_token, date);
            }
            record_each!(conn, date, disabled, |(id, was_enabled)| record.of(*id, *was_enabled));
            Ok(RevokeOutcome::Done(revoked))
        });
        match outcome {
            Err(DbError::RolledBack) => Ok(RevokeOutcome::CallerChanged),
            other => other,
        }
    }
}

impl RevocationRecord {
    /// The event of one of the tokens, within a transaction.
    fn of(&self, id: ApiTokenId, was_enabled: bool) -> QueryResult<AuditEvent> {
        let mut changes = vec![AuditChange::replaced("enabled", was_enabled.to_string(), "false")];
        changes.extend_from_slice(&self.notes);
        (self.event)(id, changes)
            .map_err(|error| diesel::result::Error::QueryBuilderError(Box::new(error)))
    }
}

/// Those of these tokens that are there.
#[auto_type]
fn live(ids: Vec<DbId>) -> _ {
    api_tokens::table
        .filter(api_tokens::id.eq_any(ids))
        .filter(api_tokens::deleted_date.is_null())
        .order(api_tokens::id)
        .select(api_tokens::id)
}
