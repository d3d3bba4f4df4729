//! The rules for tokens.

use async_graphql::{Enum, ID, InputObject, Name, Object, Value};

use super::UserInfo;
use crate::domain::policy;
use crate::graphql::schema::leaves::Leaf;
use crate::graphql::schema::scalars::DateTime;

/// The policy.
pub(in crate::graphql) struct Policy(pub(in crate::graphql) policy::PolicyRecord);

/// The rules for tokens, also for those that were issued before a rule was made. There is one
/// policy. A change of it counts from the next request on, and changes no token: when a rule is
/// relaxed, what it refused works again.
#[Object]
impl Policy {
    /// `pol_...`. Opaque; the `targetId` of its audit events.
    pub(in crate::graphql) async fn id(&self) -> ID {
        policy::PolicyRecord::ID.into()
    }

    /// 1 initially, one more with every change.
    async fn version(&self) -> i32 {
        self.0.policy.version
    }

    /// The longest time from the creation of a token to its end, in seconds. Null if it was never
    /// set; it is kept while the rule is off.
    async fn max_lifetime_seconds(&self) -> Option<i32> {
        self.0.policy.max_lifetime.duration.map(policy::PolicyDuration::seconds)
    }

    /// The tokens that the longest lifetime is for.
    async fn max_lifetime_scope(&self) -> PolicyScope {
        self.0.policy.max_lifetime.scope.kind().into()
    }

    /// The tokens that must have allowed addresses.
    async fn allowed_addresses_scope(&self) -> PolicyScope {
        self.0.policy.allowed_addresses.kind().into()
    }

    /// The longest time without a use, in seconds. It is counted from the latest of the last use,
    /// the creation and the last enabling. Null if it was never set; it is kept while the rule is
    /// off.
    async fn idle_seconds(&self) -> Option<i32> {
        self.0.policy.idle.duration.map(policy::PolicyDuration::seconds)
    }

    /// The tokens that the longest time without a use is for.
    async fn idle_scope(&self) -> PolicyScope {
        self.0.policy.idle.scope.kind().into()
    }

    /// When the policy was last changed; initially, when the database was made ready for it.
    async fn last_modified_date(&self) -> DateTime {
        self.0.last_modified_date.into()
    }

    /// Who changed the policy last.
    async fn last_modified_user_info(&self) -> UserInfo {
        UserInfo(self.0.last_modified.clone())
    }
}

/// What is to become different in the rules, as each input that has it shows among its own fields.
#[derive(InputObject)]
pub(in crate::graphql) struct PolicyChange {
    /// The longest time from the creation of a token to its end, in seconds: at least one
    /// (`duration_too_short`). If the rule is off, name its scope, too (`scope_missing`).
    max_lifetime_seconds: Option<i32>,
    /// The tokens that the longest lifetime is for. A rule that is not off needs a time
    /// (`duration_missing`).
    max_lifetime_scope: Option<PolicyScope>,
    /// The tokens that must have allowed addresses.
    allowed_addresses_scope: Option<PolicyScope>,
    /// The longest time without a use, in seconds, under the rules of `maxLifetimeSeconds`.
    idle_seconds: Option<i32>,
    /// The tokens that the longest time without a use is for.
    idle_scope: Option<PolicyScope>,
}

impl From<PolicyChange> for policy::PolicyChange {
    fn from(change: PolicyChange) -> Self {
        Self {
            max_lifetime_seconds: change.max_lifetime_seconds,
            max_lifetime_scope: change.max_lifetime_scope.map(Into::into),
            allowed_addresses_scope: change.allowed_addresses_scope.map(Into::into),
            idle_seconds: change.idle_seconds,
            idle_scope: change.idle_scope.map(Into::into),
        }
    }
}

/// The tokens that a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "policy::ScopeKind")]
pub(in crate::graphql) enum PolicyScope {
    /// None.
    Off,
    /// Those that are created after the rule was made.
    New,
    /// All.
    All,
}

/// A rule of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "policy::PolicyRule")]
pub(in crate::graphql) enum PolicyRule {
    /// The longest lifetime.
    MaxLifetime,
    /// Required allowed addresses.
    AllowedAddresses,
    /// The longest time without a use.
    Idle,
}

impl Leaf for PolicyRule {
    fn value(&self) -> Value {
        Value::Enum(Name::new(match self {
            Self::MaxLifetime => "MAX_LIFETIME",
            Self::AllowedAddresses => "ALLOWED_ADDRESSES",
            Self::Idle => "IDLE",
        }))
    }
}
