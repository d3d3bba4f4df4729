//! The record of one thing that somebody did. Written in the transaction that did it.

mod line;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use chrono::TimeDelta;

use uuid::Uuid;

use super::clock::Instant;
use super::id::{ApiTokenId, EventId, InvalidId, PolicyId};
use super::user::UserInfo;

pub use line::Lines;

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// The id of the event.
    pub id: EventId,
    /// When it happened.
    pub date: Instant,
    /// What was done.
    pub action: AuditAction,
    /// Who did it.
    pub actor: UserInfo,
    /// The token that they came with; none on the command line, and of the server itself.
    pub actor_token: Option<ApiTokenId>,
    /// The client address, if known.
    pub client_address: Option<IpAddr>,
    /// The id of the HTTP request, as in the log and the `x-request-id` header.
    pub request_id: Option<String>,
    /// What it was done to.
    pub target: AuditTarget,
    /// What changed, field by field. Never a secret and never a hash.
    pub changes: Vec<AuditChange>,
}

impl AuditEvent {
    /// The same event, dated after an earlier one of the same token. So their order is the order in
    /// which they happened, even if one request waited longer for the row, or the clock of one
    /// instance is ahead.
    #[must_use]
    pub fn after(self, earlier: Instant) -> Self {
        Self { date: self.date.max(earlier + TimeDelta::microseconds(1)), ..self }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditAction {
    /// A token was created.
    ApiTokenCreated,
    /// A token was changed.
    ApiTokenUpdated,
    /// A token was created as the renewal of another one.
    ApiTokenRenewed,
    /// A token was deleted.
    ApiTokenDeleted,
    /// A token was disabled together with others, by a revocation of many.
    ApiTokenRevoked,
    /// A token asked for changes that it may not make.
    ApiTokenChangeDenied,
    /// A token was used after its end, or against the policy.
    ApiTokenUseRefused,
    /// The policy was changed.
    PolicyUpdated,
    /// A token comes to its end soon.
    ApiTokenExpiring,
    /// A token has come to its end.
    ApiTokenExpired,
}

impl AuditAction {
    /// All that can be done.
    pub const ALL: [Self; 10] = [
        Self::ApiTokenCreated,
        Self::ApiTokenUpdated,
        Self::ApiTokenRenewed,
        Self::ApiTokenDeleted,
        Self::ApiTokenRevoked,
        Self::ApiTokenChangeDenied,
        Self::ApiTokenUseRefused,
        Self::PolicyUpdated,
        Self::ApiTokenExpiring,
        Self::ApiTokenExpired,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiTokenCreated => "api_token_created",
            Self::ApiTokenUpdated => "api_token_updated",
            Self::ApiTokenRenewed => "api_token_renewed",
            Self::ApiTokenDeleted => "api_token_deleted",
            Self::ApiTokenRevoked => "api_token_revoked",
            Self::ApiTokenChangeDenied => "api_token_change_denied",
            Self::ApiTokenUseRefused => "api_token_use_refused",
            Self::PolicyUpdated => "policy_updated",
            Self::ApiTokenExpiring => "api_token_expiring",
            Self::ApiTokenExpired => "api_token_expired",
        }
    }

    /// The action that a stored word means.
    pub fn stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// What something was done to, as the typed id of a thing of one kind. It may have been deleted
/// since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditTarget {
    /// An API token.
    ApiToken(ApiTokenId),
    /// The policy.
    Policy(PolicyId),
}

impl AuditTarget {
    /// The target of an action. Only the id is stored: the action determines the kind of target.
    pub const fn stored(action: AuditAction, id: Uuid) -> Self {
        match action {
            AuditAction::ApiTokenCreated
            | AuditAction::ApiTokenUpdated
            | AuditAction::ApiTokenRenewed
            | AuditAction::ApiTokenDeleted
            | AuditAction::ApiTokenRevoked
            | AuditAction::ApiTokenChangeDenied
            | AuditAction::ApiTokenUseRefused
            | AuditAction::ApiTokenExpiring
            | AuditAction::ApiTokenExpired => Self::ApiToken(ApiTokenId::from_uuid(id)),
            AuditAction::PolicyUpdated => Self::Policy(PolicyId::from_uuid(id)),
        }
    }

    /// The id as the database holds it.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::ApiToken(id) => id.uuid(),
            Self::Policy(id) => id.uuid(),
        }
    }
}

impl fmt::Display for AuditTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiToken(id) => id.fmt(f),
            Self::Policy(id) => id.fmt(f),
        }
    }
}

impl FromStr for AuditTarget {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.starts_with(PolicyId::PREFIX) {
            text.parse().map(Self::Policy)
        } else {
            text.parse().map(Self::ApiToken)
        }
    }
}

/// One field that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditChange {
    /// The name of the field, as clients know it.
    pub field: Cow<'static, str>,
    /// The value before; none if the field is new.
    pub before: Option<String>,
    /// The value after; none if the field was removed.
    pub after: Option<String>,
}

impl AuditChange {
    /// A field that was set for the first time.
    pub fn set(field: &'static str, after: impl Into<String>) -> Self {
        Self { field: field.into(), before: None, after: Some(after.into()) }
    }

    /// A field that has another value now.
    pub fn replaced(
        field: &'static str,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> Self {
        Self { before: Some(before.into()), ..Self::set(field, after) }
    }
}
