//! The policy: rules for tokens, also for those that were issued before.
//!
//! Judging reads it with the row of the token, so a change of it counts from the next request on,
//! on every instance. It changes no token: what a rule refuses works again once the rule is relaxed.

mod change;
mod duration;

use std::fmt;

use super::api_token::{ApiToken, ApiTokenStatus};
use super::clock::Instant;
use super::filter::Window;
use super::id::PolicyId;
use super::user::UserInfo;

pub use change::{PolicyChange, ScopeKind};
pub use duration::{PolicyDuration, PolicyDurationError};

/// The rules that hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// 1 initially, one more with every change.
    pub version: i32,
    /// The longest time from the creation of a token to its end.
    pub max_lifetime: Limit,
    /// Which tokens must have allowed addresses.
    pub allowed_addresses: Scope,
    /// The longest time without a use.
    pub idle: Limit,
}

/// The policy, and who changed it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRecord {
    /// The rules.
    pub policy: Policy,
    /// When they were last changed.
    pub last_modified_date: Instant,
    /// Who last changed them.
    pub last_modified: UserInfo,
}

impl PolicyRecord {
    /// The only policy.
    pub const ID: PolicyId = PolicyId::from_uuid(uuid::Uuid::from_u128(1));
}

/// A rule that bounds a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The longest time. It may be kept while the rule is off.
    pub duration: Option<PolicyDuration>,
    /// The tokens that the rule is for.
    pub scope: Scope,
}

/// The tokens that a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// None.
    Off,
    /// Those that were created at this instant, when the rule was made, or later.
    New {
        /// The instant.
        since: Instant,
    },
    /// All.
    All,
}

/// A rule that a token can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyRule {
    /// It is older than the longest lifetime.
    MaxLifetime,
    /// It can be used from any address.
    AllowedAddresses,
    /// It was not used for too long.
    Idle,
}

impl PolicyRule {
    /// All rules, in the order in which they are judged.
    pub const ALL: [Self; 3] = [Self::MaxLifetime, Self::AllowedAddresses, Self::Idle];

    /// The reason of a refusal, for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxLifetime => "policy_max_lifetime",
            Self::AllowedAddresses => "policy_allowed_addresses",
            Self::Idle => "policy_idle",
        }
    }
}

impl fmt::Display for PolicyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MaxLifetime => "older than the policy allows",
            Self::AllowedAddresses => "without the allowed addresses that the policy requires",
            Self::Idle => "unused for longer than the policy allows",
        })
    }
}

impl Scope {
    /// Is the rule for tokens that were created at this instant?
    pub fn covers(self, created: Instant) -> bool {
        self.since().is_some_and(|since| created >= since)
    }

    /// The first instant of creation that the rule is for; `None` if it is off.
    pub const fn since(self) -> Option<Instant> {
        match self {
            Self::Off => None,
            Self::New { since } => Some(since),
            Self::All => Some(Instant::UNIX_EPOCH),
        }
    }

    /// The scope with this first instant.
    pub fn from_since(since: Option<Instant>) -> Self {
        match since {
            None => Self::Off,
            Some(since) if since == Instant::UNIX_EPOCH => Self::All,
            Some(since) => Self::New { since },
        }
    }
}

impl Limit {
    /// The time for tokens that were created at this instant, if the rule is for them.
    fn of(self, created: Instant) -> Option<PolicyDuration> {
        self.duration.filter(|_| self.scope.covers(created))
    }
}

impl Policy {
    /// The instant from which a token is refused: its expiry, or the end of the longest lifetime if
    /// that is earlier.
    pub fn effective_expiry(&self, token: &ApiToken) -> Instant {
        self.end(token.creation_date, token.expiry)
    }

    /// The same for a token that was created at this instant and has this expiry.
    pub fn end(&self, created: Instant, expiry: Instant) -> Instant {
        self.latest_expiry(created).map_or(expiry, |end| end.min(expiry))
    }

    /// The latest instant at which a token that was created at this one ends; `None`: any.
    pub fn latest_expiry(&self, created: Instant) -> Option<Instant> {
        self.max_lifetime.of(created)?.after(created)
    }

    /// The creations of those tokens that the longest lifetime ends before this instant; `None`:
    /// there are none.
    pub fn outlived_before(&self, end: Instant) -> Option<Window> {
        let Limit { duration, scope } = self.max_lifetime;
        let (since, to) = (scope.since()?, duration?.before(end)?);
        (since < to).then_some(Window { from: Some(since), to: Some(to) })
    }

    /// The status of a token at an instant, with its effective expiry.
    pub fn status(&self, token: &ApiToken, now: Instant) -> ApiTokenStatus {
        if now >= self.effective_expiry(token) {
            ApiTokenStatus::Expired
        } else {
            token.status(now)
        }
    }

    /// The same policy with no other rule than this one.
    #[must_use]
    pub fn only(&self, rule: PolicyRule) -> Self {
        let off = Self { version: self.version, ..Self::default() };
        match rule {
            PolicyRule::MaxLifetime => Self { max_lifetime: self.max_lifetime, ..off },
            PolicyRule::AllowedAddresses => {
                Self { allowed_addresses: self.allowed_addresses, ..off }
            }
            PolicyRule::Idle => Self { idle: self.idle, ..off },
        }
    }

    /// Does a rule refuse the token at this instant? `used`: a use that is later than the stored
    /// one, if there was one.
    pub fn refuses(
        &self,
        rule: PolicyRule,
        token: &ApiToken,
        now: Instant,
        used: impl FnOnce() -> Option<Instant>,
    ) -> bool {
        let created = token.creation_date;
        match rule {
            PolicyRule::MaxLifetime => self.latest_expiry(created).is_some_and(|end| now >= end),
            PolicyRule::AllowedAddresses => {
                self.allowed_addresses.covers(created) && token.allowed_addresses.is_any()
            }
            PolicyRule::Idle => {
                let idle = self.idle.of(created);
                let is_over = |last: Instant| {
                    idle.and_then(|idle| idle.after(last)).is_some_and(|end| now >= end)
                };
                let stored = token.last_use.map(|last| last.date).max(token.enabled_date);
                is_over(stored.map_or(created, |last| last.max(created)))
                    && used().is_none_or(is_over)
            }
        }
    }

    /// The first rule that refuses the token at this instant.
    pub fn refusal(
        &self,
        token: &ApiToken,
        now: Instant,
        used: impl Fn() -> Option<Instant>,
    ) -> Option<PolicyRule> {
        PolicyRule::ALL.into_iter().find(|rule| self.refuses(*rule, token, now, &used))
    }
}

impl Default for Policy {
    /// No rule.
    fn default() -> Self {
        let off = Limit { duration: None, scope: Scope::Off };
        Self { version: 1, max_lifetime: off, allowed_addresses: Scope::Off, idle: off }
    }
}

#[cfg(test)]
mod tests;
