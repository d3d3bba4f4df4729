//! What is wrong with an input, field by field.

use super::control::is_control;

/// One fault of one input. All faults of an input are reported together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFault {
    /// Which part of the input. Each surface has its own spelling of it.
    pub field: Field,
    /// Which element, where the field is a list and one element is at fault.
    pub index: Option<usize>,
    /// What is wrong.
    pub kind: FaultKind,
    /// For programs; stable.
    pub reason: &'static str,
    /// For people: a whole sentence.
    pub message: String,
}

/// A part of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// What is to be changed.
    Id,
    /// The version that a change is based on.
    Version,
    /// The name of a token.
    Name,
    /// What a token is for, in words.
    Description,
    /// What a token is for, as pairs of a key and a value.
    Labels,
    /// Whether a token may be used.
    Enabled,
    /// Whether the descendants of a token share its fate.
    Descendants,
    /// When a token expires.
    Expiry,
    /// What a token may do.
    Permissions,
    /// From where a token may be used.
    AllowedAddresses,
    /// How long a renewed token still works.
    Overlap,
    /// The key that makes a retry safe.
    IdempotencyKey,
    /// Secrets to verify.
    Tokens,
    /// The address of the client that showed a secret.
    ClientAddress,
    /// The longest lifetime of the policy.
    MaxLifetimeSeconds,
    /// Which tokens the longest lifetime is for.
    MaxLifetimeScope,
    /// Which tokens must have allowed addresses.
    AllowedAddressesScope,
    /// The longest time without a use.
    IdleSeconds,
    /// Which tokens the longest time without a use is for.
    IdleScope,
    /// Whether a policy counts that refuses whoever makes it.
    Force,
    /// Tokens to revoke, by their ids.
    Ids,
    /// Tokens that are not revoked.
    Except,
    /// Whether all tokens are meant.
    Everything,
    /// How many tokens are expected to be revoked.
    ExpectedCount,
    /// Why tokens are revoked.
    Reason,
    /// How many rows of a page, from its start.
    First,
    /// How many rows of a page, up to its end.
    Last,
    /// The place after which a page begins.
    After,
    /// The place before which a page ends.
    Before,
    /// A condition of the filter of a list.
    Filter(FilterField),
}

/// A condition of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterField {
    /// All of it.
    Whole,
    /// A part of the name.
    Name,
    /// The labels that a token has.
    Labels,
    /// The permissions that a token holds.
    Permissions,
    /// The API Token User.
    User,
    /// The user that made it.
    Creator,
    /// The token that it comes from.
    Ancestor,
    /// The earliest creation.
    CreatedFrom,
    /// The instant that the creation must be before.
    CreatedTo,
    /// The earliest expiry.
    ExpiryFrom,
    /// The instant that the expiry must be before.
    ExpiryTo,
    /// The instant since which a token was not used.
    NotUsedSince,
    /// The user that did it.
    Actor,
    /// What it was done to.
    Target,
    /// The earliest date of an event.
    DateFrom,
    /// The instant that the date of an event must be before.
    DateTo,
}

/// What sort of refusal a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The value itself cannot be accepted.
    Invalid,
    /// The value would reach further than the caller may.
    BeyondReach,
    /// Somebody else has the value already.
    Taken,
    /// What the value names is not there.
    Missing,
}

impl InputFault {
    /// A value that cannot be accepted.
    pub fn invalid(field: Field, reason: &'static str, message: impl Into<String>) -> Self {
        Self { field, index: None, kind: FaultKind::Invalid, reason, message: message.into() }
    }

    /// A value that reaches further than the caller.
    pub fn beyond_reach(field: Field, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind: FaultKind::BeyondReach, ..Self::invalid(field, reason, message) }
    }

    /// A value that is in use.
    pub fn taken(field: Field, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Taken, ..Self::invalid(field, reason, message) }
    }

    /// A value that names what is not there.
    pub fn missing(field: Field, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Missing, ..Self::invalid(field, reason, message) }
    }

    /// The same fault, of one element of a list.
    #[must_use]
    pub fn at(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }
}

/// A text that a client gave, cut and cleaned so that it can be part of a message.
pub fn shown(text: &str) -> String {
    text.chars().filter(|character| !is_control(*character)).take(60).collect()
}
