//! What was decided on presented secrets.

use super::label::label;
use crate::domain::policy::PolicyRule;
use crate::domain::verdict::{InvalidTokenReason, TokenRefusal};
use crate::domain::verification::{Decision, Denial};

label! {
    /// Who was shown a secret.
    Surface {
        /// A caller of ours, by its own token.
        Caller = "caller",
        /// A gateway that asks `/authorize`.
        Authorize = "authorize",
        /// Envoy, over gRPC.
        ExtAuthz = "ext_authz",
        /// A service that asks `/oauth2/introspect`.
        Introspect = "introspect",
        /// A service that asks `verifyApiToken` or `verifyApiTokens`.
        Graphql = "graphql",
    }
}

label! {
    /// What was decided.
    Outcome {
        /// The token may be used.
        Allowed = "allowed",
        /// There was no secret.
        NoCredentials = "no_credentials",
        /// The header that should hold one could not be read.
        MalformedCredentials = "malformed_credentials",
        /// What was shown has not the form of a secret.
        Malformed = "malformed",
        /// No token with this id was ever made.
        Unknown = "unknown",
        /// The secret is not the token's.
        WrongSecret = "wrong_secret",
        /// The token was deleted.
        Deleted = "deleted",
        /// Its expiry has come.
        Expired = "expired",
        /// It or its user is disabled.
        Disabled = "disabled",
        /// It is older than the policy allows.
        PolicyMaxLifetime = "policy_max_lifetime",
        /// It lacks the allowed addresses that the policy requires.
        PolicyAllowedAddresses = "policy_allowed_addresses",
        /// It was unused for longer than the policy allows.
        PolicyIdle = "policy_idle",
        /// It has ended, and the secret was not compared.
        EndedUnproven = "ended_unproven",
        /// Too many secrets from there were not valid.
        TooManyFailures = "too_many_failures",
        /// It may not be used from this address.
        AddressNotAllowed = "address_not_allowed",
        /// It may be used from some addresses only, and the client's is not known.
        AddressUnknown = "address_unknown",
        /// It lacks a permission that is asked for.
        PermissionMissing = "permission_missing",
        /// What is asked for cannot be answered.
        InvalidDemand = "invalid_demand",
        /// There was no decision.
        Unavailable = "unavailable",
    }
}

impl From<&Decision> for Outcome {
    fn from(decision: &Decision) -> Self {
        match decision {
            Decision::Allowed(_) => Self::Allowed,
            Decision::Denied(Denial::Token(refusal)) => (*refusal).into(),
            Decision::Denied(Denial::Demand { .. }) => Self::InvalidDemand,
            Decision::Denied(Denial::PermissionMissing { .. }) => Self::PermissionMissing,
        }
    }
}

impl From<TokenRefusal> for Outcome {
    fn from(refusal: TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::TooManyFailures { .. } => Self::TooManyFailures,
            TokenRefusal::AddressNotAllowed { is_known: true, .. } => Self::AddressNotAllowed,
            TokenRefusal::AddressNotAllowed { is_known: false, .. } => Self::AddressUnknown,
            TokenRefusal::Invalid { reason, .. } => match reason {
                InvalidTokenReason::Malformed(_) => Self::Malformed,
                InvalidTokenReason::Unknown => Self::Unknown,
                InvalidTokenReason::WrongSecret => Self::WrongSecret,
                InvalidTokenReason::Deleted => Self::Deleted,
                InvalidTokenReason::Expired => Self::Expired,
                InvalidTokenReason::Disabled => Self::Disabled,
                InvalidTokenReason::Policy(rule) => match rule {
                    PolicyRule::MaxLifetime => Self::PolicyMaxLifetime,
                    PolicyRule::AllowedAddresses => Self::PolicyAllowedAddresses,
                    PolicyRule::Idle => Self::PolicyIdle,
                },
                InvalidTokenReason::EndedUnproven => Self::EndedUnproven,
            },
        }
    }
}
