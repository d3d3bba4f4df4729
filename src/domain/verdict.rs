//! The judgement on a presented secret: may its token be used now, and from this address?
//!
//! Every surface asks the same judge and gets this verdict. [`Verdict::decide`] adds what a service
//! asks of a token; each surface renders the outcome in its own form.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::api_token::{ApiToken, ApiTokenStatus, Credential};
use super::clock::Instant;
use super::id::ApiTokenId;
use super::policy::{Policy, PolicyRule};
use super::secret::MalformedSecret;

/// The outcome of judging a presented secret.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The secret is genuine, and its token may be used now and from this address.
    Valid(Usable),
    /// The token may not be used.
    Refused(TokenRefusal),
}

/// A token that may be used now, and the policy that it was judged by.
#[derive(Debug, Clone)]
pub struct Usable {
    /// The token.
    pub token: Arc<ApiToken>,
    /// The rules.
    pub policy: Policy,
}

impl Usable {
    /// The instant from which the token is refused, if nothing changes before.
    pub fn expiry(&self) -> Instant {
        self.policy.effective_expiry(&self.token)
    }
}

/// Why a presented secret is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// The token is not valid. Callers get one answer for all reasons; the reason is for the log.
    #[error("the token is not valid ({reason})")]
    Invalid {
        /// Why.
        reason: InvalidTokenReason,
        /// The token that a well-formed secret names, whether there is one or not.
        claimed: Option<ApiTokenId>,
    },
    /// The same, where too many secrets from the same network, or in all, were not valid.
    #[error("too many secrets are not valid; this one: {reason}")]
    TooManyFailures {
        /// Why.
        reason: InvalidTokenReason,
        /// The token that a well-formed secret names, whether there is one or not.
        claimed: Option<ApiTokenId>,
        /// Seconds after which another one is told its reason.
        retry_after: u32,
    },
    /// The secret is genuine, but the client's address is not among the allowed ones.
    #[error("the token is not allowed from {}", from(*.is_known))]
    AddressNotAllowed {
        /// The token.
        token: ApiTokenId,
        /// Is the client's address known at all?
        is_known: bool,
    },
}

impl TokenRefusal {
    /// The token that the secret names, if it names one.
    pub const fn token_id(self) -> Option<ApiTokenId> {
        match self {
            Self::Invalid { claimed, .. } | Self::TooManyFailures { claimed, .. } => claimed,
            Self::AddressNotAllowed { token, .. } => Some(token),
        }
    }

    /// The token whose genuine secret was refused, because it has ended or may not be used from
    /// this address.
    pub const fn genuine(self) -> Option<ApiTokenId> {
        match self {
            Self::Invalid { reason, claimed } | Self::TooManyFailures { reason, claimed, .. } => {
                match reason {
                    InvalidTokenReason::Deleted
                    | InvalidTokenReason::Expired
                    | InvalidTokenReason::Disabled
                    | InvalidTokenReason::Policy(_) => claimed,
                    InvalidTokenReason::Malformed(_)
                    | InvalidTokenReason::Unknown
                    | InvalidTokenReason::WrongSecret
                    | InvalidTokenReason::EndedUnproven => None,
                }
            }
            Self::AddressNotAllowed { token, .. } => Some(token),
        }
    }
}

const fn from(is_known: bool) -> &'static str {
    if is_known { "this address" } else { "an unknown address" }
}

/// Why a token is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidTokenReason {
    /// The text is no secret.
    Malformed(MalformedSecret),
    /// No token with this id was ever made.
    Unknown,
    /// The secret is not the token's.
    WrongSecret,
    /// The token was deleted.
    Deleted,
    /// The token's expiry has come.
    Expired,
    /// The token or its user is disabled.
    Disabled,
    /// A rule of the policy refuses the token.
    Policy(PolicyRule),
    /// Deleted, expired, disabled or refused by the policy, and without the tag that would show whether the secret belongs
    /// to it.
    EndedUnproven,
}

impl fmt::Display for InvalidTokenReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(how) => write!(f, "malformed: {how}"),
            Self::Unknown => f.write_str("unknown"),
            Self::WrongSecret => f.write_str("wrong secret"),
            Self::Deleted => f.write_str("deleted"),
            Self::Expired => f.write_str("expired"),
            Self::Disabled => f.write_str("disabled"),
            Self::Policy(rule) => rule.fmt(f),
            Self::EndedUnproven => f.write_str("ended; the secret was not compared"),
        }
    }
}

impl Credential {
    /// Judges a token whose secret is proven: deletion, expiry, disabling and the policy, then the
    /// address. So an ended token does not reveal from where it could be used. `used`: a use that
    /// is later than the stored one, if there was one.
    pub fn judge(
        &self,
        now: Instant,
        client: Option<IpAddr>,
        used: impl Fn() -> Option<Instant>,
    ) -> Verdict {
        let id = self.token.id;
        if let Some(reason) = self.ended(now, used) {
            Verdict::Refused(TokenRefusal::Invalid { reason, claimed: Some(id) })
        } else if self.token.allowed_addresses.admits(client) {
            Verdict::Valid(Usable { token: Arc::clone(&self.token), policy: self.policy })
        } else {
            let is_known = client.is_some();
            Verdict::Refused(TokenRefusal::AddressNotAllowed { token: id, is_known })
        }
    }

    /// Why nobody can use the token now, from any address.
    pub fn ended(
        &self,
        now: Instant,
        used: impl Fn() -> Option<Instant>,
    ) -> Option<InvalidTokenReason> {
        if self.deleted {
            return Some(InvalidTokenReason::Deleted);
        }
        match self.token.status(now) {
            ApiTokenStatus::Expired => Some(InvalidTokenReason::Expired),
            ApiTokenStatus::Disabled => Some(InvalidTokenReason::Disabled),
            ApiTokenStatus::Active if !self.user.enabled => Some(InvalidTokenReason::Disabled),
            ApiTokenStatus::Active => {
                self.policy.refusal(&self.token, now, used).map(InvalidTokenReason::Policy)
            }
        }
    }
}
