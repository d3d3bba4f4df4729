//! What becomes of a secret that was shown to somebody.

use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::{Context, Enum, Object};

use super::user::load_user;
use super::{ApiToken, User};
use crate::domain::policy::PolicyRule;
use crate::domain::verdict::TokenRefusal;
use crate::domain::verification::{Decision, Denial, DenialReason};
use crate::graphql::context::{held, note_decision};
use crate::graphql::error::GqlError;

/// The decision on a secret. It shows the token only where the secret may be used, so that nobody
/// passes who forgets to look at `active`.
pub(in crate::graphql) struct ApiTokenVerification(Decision);

impl ApiTokenVerification {
    /// The decision on what a client at this address showed, with the token drawn from the budget of
    /// the request, and noted for its log.
    pub(in crate::graphql) fn of(
        ctx: &Context<'_>,
        (client, decision): (Option<IpAddr>, Decision),
    ) -> Result<Self, GqlError> {
        note_decision(ctx, client, &decision);
        if let Decision::Allowed(usable) = &decision {
            held(ctx, usable.token.as_ref().clone())?;
        }
        Ok(Self(decision))
    }

    const fn denial(&self) -> Option<&Denial> {
        match &self.0 {
            Decision::Allowed(_) => None,
            Decision::Denied(denial) => Some(denial),
        }
    }
}

/// Whether a secret may be used, and whose it is.
#[Object]
impl ApiTokenVerification {
    /// True: the secret may be used now, for all that was asked.
    async fn active(&self) -> bool {
        self.denial().is_none()
    }

    /// Why it may not be used. Null if it may.
    async fn reason(&self) -> Option<ApiTokenVerificationReason> {
        self.denial().map(|denial| denial.reason().into())
    }

    /// The seconds after which another secret from this address is judged. Null unless `reason` is
    /// TOO_MANY_FAILURES.
    async fn retry_after(&self) -> Option<i32> {
        match self.denial()? {
            Denial::Token(TokenRefusal::TooManyFailures { retry_after, .. }) => {
                Some(i32::try_from(*retry_after).unwrap_or(i32::MAX))
            }
            _ => None,
        }
    }

    /// The token. Null unless `active` is true.
    async fn api_token(&self) -> Option<ApiToken> {
        match &self.0 {
            Decision::Allowed(usable) => Some(ApiToken(Arc::clone(&usable.token))),
            Decision::Denied(_) => None,
        }
    }

    /// The token's user. Null unless `active` is true. Needs api.users.read, except for the
    /// caller's own.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>, GqlError> {
        match &self.0 {
            Decision::Allowed(usable) => load_user(ctx, usable.token.user_id).await,
            Decision::Denied(_) => Ok(None),
        }
    }
}

/// Why a secret may not be used. Of several reasons, the first one here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum ApiTokenVerificationReason {
    /// It is no secret, is not that of its token, or its token does not exist or was deleted.
    InvalidToken,
    /// The same or any of the next ones up to `POLICY_IDLE`: too many secrets from this address were not valid.
    TooManyFailures,
    /// The token's expiry has passed.
    Expired,
    /// The token or its user is disabled.
    Disabled,
    /// The token is older than the policy allows.
    PolicyMaxLifetime,
    /// The policy requires allowed addresses, and the token has none.
    PolicyAllowedAddresses,
    /// The token was not used for longer than the policy allows.
    PolicyIdle,
    /// The client's address is not among the allowed ones.
    AddressNotAllowed,
    /// The token has allowed addresses, and no client address was given.
    AddressUnknown,
    /// The token lacks a permission.
    PermissionMissing,
}

impl From<DenialReason> for ApiTokenVerificationReason {
    fn from(reason: DenialReason) -> Self {
        match reason {
            DenialReason::InvalidToken => Self::InvalidToken,
            DenialReason::TooManyFailures => Self::TooManyFailures,
            DenialReason::Expired => Self::Expired,
            DenialReason::Disabled => Self::Disabled,
            DenialReason::Policy(rule) => match rule {
                PolicyRule::MaxLifetime => Self::PolicyMaxLifetime,
                PolicyRule::AllowedAddresses => Self::PolicyAllowedAddresses,
                PolicyRule::Idle => Self::PolicyIdle,
            },
            DenialReason::AddressNotAllowed => Self::AddressNotAllowed,
            DenialReason::AddressUnknown => Self::AddressUnknown,
            // No token has a permission that is not known. The use case refuses to ask for one.
            DenialReason::PermissionMissing | DenialReason::InvalidDemand => {
                Self::PermissionMissing
            }
        }
    }
}
