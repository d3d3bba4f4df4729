//! Which tokens the rules of a policy refuse: what judging says of one token, said of all that are
//! stored.

use diesel::dsl::{auto_type, count_star, exists, not, select};
use diesel::prelude::*;

use crate::db::{DbError, DbInstant, DbNetworks, Fetch, InTime, Part, api_tokens, search};
use crate::domain::address::AllowedAddresses;
use crate::domain::clock::Instant;
use crate::domain::policy::{Policy, PolicyRule};
use crate::repository::Repository;

/// The instants by which the rules judge: a rule is for the tokens that were created since one
/// instant, and refuses what happened last until another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::repository) struct PolicyBounds {
    max_lifetime: (DbInstant, DbInstant),
    addresses: DbInstant,
    idle: (DbInstant, DbInstant),
}

impl PolicyBounds {
    /// The bounds of a policy at an instant. A rule that is off is for tokens that do not exist yet.
    pub(in crate::repository) fn of(policy: &Policy, now: Instant) -> Self {
        let never = DbInstant(Instant::from_timestamp(1 << 37, 0).unwrap_or_default());
        let limit = |limit: crate::domain::policy::Limit| {
            let until = limit.duration.and_then(|duration| duration.before(now));
            match (limit.scope.since(), until) {
                (Some(since), Some(until)) => (DbInstant(since), DbInstant(until)),
                _ => (never, never),
            }
        };
        Self {
            max_lifetime: limit(policy.max_lifetime),
            addresses: policy.allowed_addresses.since().map_or(never, DbInstant),
            idle: limit(policy.idle),
        }
    }
}

/// The tokens that can be used, whatever the policy says.
#[auto_type]
fn usable(now: DbInstant) -> _ {
    api_tokens::table
        .filter(InTime)
        .filter(api_tokens::deleted_date.is_null())
        .filter(api_tokens::enabled)
        .filter(api_tokens::expiry.gt(now))
}

/// Those that are older than the policy allows.
#[auto_type]
pub(in crate::repository) fn outlived(bounds: PolicyBounds) -> _ {
    let (since, until): (DbInstant, DbInstant) = bounds.max_lifetime;
    api_tokens::creation_date.ge(since).and(api_tokens::creation_date.le(until))
}

/// Those that can be used from any address.
#[auto_type]
pub(in crate::repository) fn unbound(bounds: PolicyBounds) -> _ {
    let since: DbInstant = bounds.addresses;
    let none: DbNetworks = DbNetworks(AllowedAddresses::default());
    api_tokens::creation_date.ge(since).and(api_tokens::allowed_addresses.eq(none))
}

/// Those that were not used for too long.
#[auto_type]
pub(in crate::repository) fn idle(bounds: PolicyBounds) -> _ {
    let (since, until): (DbInstant, DbInstant) = bounds.idle;
    api_tokens::creation_date
        .ge(since)
        .and(api_tokens::creation_date.le(until))
        .and(api_tokens::last_used_date.le(until))
        .and(api_tokens::enabled_date.le(until))
}

impl Repository {
    /// Is there a token that can be used at this instant and that no rule refuses?
    ///
    /// # Errors
    /// When the database does not answer, or it takes too long.
    pub async fn admits_any(&self, policy: &Policy, now: Instant) -> Result<bool, DbError> {
        tracing::debug!("admits_any");
        let (bounds, now) = (PolicyBounds::of(policy, now), DbInstant(now));
        search!(self.db, |conn| {
            let admitted = usable(now)
                .filter(not(outlived(bounds)))
                .filter(not(unbound(bounds)))
                .filter(not(idle(bounds)))
                .select(api_tokens::id);
            Part::number(select(exists(admitted))).one(conn).await
        })
    }

    /// How many of the tokens that can be used at this instant a rule refuses; without a rule, how
    /// many there are.
    ///
    /// # Errors
    /// When the database does not answer, or it takes too long.
    pub async fn count_refused(
        &self,
        policy: &Policy,
        rule: Option<PolicyRule>,
        now: Instant,
    ) -> Result<i64, DbError> {
        tracing::debug!(?rule, "count_refused");
        let (bounds, now) = (PolicyBounds::of(policy, now), DbInstant(now));
        search!(self.db, |conn| {
            let all = usable(now).select(count_star());
            match rule {
                None => Part::number(all).one(conn).await,
                Some(PolicyRule::MaxLifetime) => {
                    Part::number(all.filter(outlived(bounds))).one(conn).await
                }
                Some(PolicyRule::AllowedAddresses) => {
                    Part::number(all.filter(unbound(bounds))).one(conn).await
                }
                Some(PolicyRule::Idle) => Part::number(all.filter(idle(bounds))).one(conn).await,
            }
        })
    }
}
