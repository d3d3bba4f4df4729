//! A change of the policy: what it becomes, what is wrong with the change, and what it changes.

use std::fmt;

use super::{Limit, Policy, PolicyDuration, Scope};
use crate::domain::audit::AuditChange;
use crate::domain::clock::Instant;
use crate::domain::fault::{Field, InputFault};

/// The scope of a rule, as somebody asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeKind {
    /// The rule is off.
    Off,
    /// The rule is for the tokens that are created from now on.
    New,
    /// The rule is for all tokens.
    All,
}

/// What is to become different; nothing: it stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PolicyChange {
    /// Seconds of the longest lifetime, unchecked.
    pub max_lifetime_seconds: Option<i32>,
    /// For which tokens.
    pub max_lifetime_scope: Option<ScopeKind>,
    /// Which tokens must have allowed addresses.
    pub allowed_addresses_scope: Option<ScopeKind>,
    /// Seconds of the longest time without a use, unchecked.
    pub idle_seconds: Option<i32>,
    /// For which tokens.
    pub idle_scope: Option<ScopeKind>,
}

impl ScopeKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::New => "new",
            Self::All => "all",
        }
    }

    /// The scope from this instant on. A rule that is for new tokens already stays for those that
    /// were new when it began.
    const fn from(self, now: Instant, before: Scope) -> Scope {
        match (self, before) {
            (Self::Off, _) => Scope::Off,
            (Self::All, _) => Scope::All,
            (Self::New, Scope::New { since }) => Scope::New { since },
            (Self::New, Scope::Off | Scope::All) => Scope::New { since: now },
        }
    }
}

impl fmt::Display for ScopeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Scope {
    /// Which kind of scope it is.
    pub const fn kind(self) -> ScopeKind {
        match self {
            Self::Off => ScopeKind::Off,
            Self::New { .. } => ScopeKind::New,
            Self::All => ScopeKind::All,
        }
    }
}

impl Policy {
    /// What the policy becomes by a change at this instant; its version stays.
    ///
    /// # Errors
    /// Everything that is wrong with the change.
    pub fn changed(&self, change: &PolicyChange, now: Instant) -> Result<Self, Vec<InputFault>> {
        let mut faults = Vec::new();
        let asked = (change.max_lifetime_seconds, change.max_lifetime_scope);
        let fields = (Field::MaxLifetimeSeconds, Field::MaxLifetimeScope);
        let max_lifetime = limit(self.max_lifetime, asked, now, fields, &mut faults);
        let asked = (change.idle_seconds, change.idle_scope);
        let idle =
            limit(self.idle, asked, now, (Field::IdleSeconds, Field::IdleScope), &mut faults);
        let addresses = change.allowed_addresses_scope;
        let before = self.allowed_addresses;
        let allowed_addresses = addresses.map_or(before, |kind| kind.from(now, before));
        let policy = Self { version: self.version, max_lifetime, allowed_addresses, idle };
        if faults.is_empty() { Ok(policy) } else { Err(faults) }
    }

    /// What is different in another policy, field by field.
    pub fn differences(&self, after: &Self) -> Vec<AuditChange> {
        let seconds = |limit: Limit| limit.duration.map(|time| time.seconds().to_string());
        let scope = |scope: Scope| Some(scope.kind().to_string());
        let fields = [
            ("maxLifetimeSeconds", seconds(self.max_lifetime), seconds(after.max_lifetime)),
            ("maxLifetimeScope", scope(self.max_lifetime.scope), scope(after.max_lifetime.scope)),
            (
                "allowedAddressesScope",
                scope(self.allowed_addresses),
                scope(after.allowed_addresses),
            ),
            ("idleSeconds", seconds(self.idle), seconds(after.idle)),
            ("idleScope", scope(self.idle.scope), scope(after.idle.scope)),
        ];
        let changed = fields.into_iter().filter(|(_, before, after)| before != after);
        let change = |(field, before, after): (&'static str, _, _)| AuditChange {
            field: field.into(),
            before,
            after,
        };
        changed.map(change).collect()
    }
}

/// What a rule becomes. Nobody is refused because of a scope that was not named, and no rule is on
/// without its time.
fn limit(
    before: Limit,
    (seconds, kind): (Option<i32>, Option<ScopeKind>),
    now: Instant,
    (seconds_field, scope_field): (Field, Field),
    faults: &mut Vec<InputFault>,
) -> Limit {
    let mut fault = |field, reason, message| {
        faults.push(InputFault::invalid(field, reason, message));
    };
    if seconds.is_some_and(|seconds| PolicyDuration::from_seconds(seconds).is_none()) {
        fault(seconds_field, "duration_too_short", "The time must be at least one second.");
        return before;
    }
    let duration = seconds.and_then(PolicyDuration::from_seconds).or(before.duration);
    let scope = kind.map_or(before.scope, |kind| kind.from(now, before.scope));
    if seconds.is_some() && kind.is_none() && scope == Scope::Off {
        let message = "The rule is off; say for which tokens it is to be: off, new ones, or all.";
        fault(scope_field, "scope_missing", message);
    }
    if duration.is_none() && scope != Scope::Off {
        fault(seconds_field, "duration_missing", "The rule needs a time.");
    }
    Limit { duration, scope }
}
