//! Why a request does not pass a gateway, and what its client is answered: the same at `/authorize`
//! and over gRPC.

use std::borrow::Cow;

use crate::domain::catalogue::Catalogue;
use crate::domain::verdict::TokenRefusal;
use crate::domain::verification::{Demand, Denial};
use crate::graphql::RETRY_AFTER;
use crate::metrics::{Metrics, Outcome, Surface};
use crate::wire::bearer::{Credentials, credentials};
use crate::wire::challenge;

/// Why a request does not pass a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayRefusal {
    /// No credentials came, or credentials of another scheme.
    NoCredentials,
    /// Several `Authorization` headers, or one that is not well-formed.
    MalformedCredentials,
    /// One answer for unknown, wrong, expired, disabled and deleted.
    InvalidToken,
    /// The same, where too many tokens from one address, or in all, were not valid.
    TooManyFailures {
        /// In seconds.
        retry_after: u32,
    },
    /// The token may not be used from the address of the client.
    AddressNotAllowed,
    /// The token lacks one of these permissions, all of which are needed.
    PermissionMissing(Vec<String>),
    /// The gateway asks for nothing, or for something that is not known.
    InvalidDemand,
    /// No answer is possible now; it may be in a moment.
    Unavailable,
}

impl GatewayRefusal {
    /// The refusal that follows from a decision.
    pub fn of(denial: &Denial, demand: &Demand, catalogue: &Catalogue) -> Self {
        match denial {
            Denial::Token(TokenRefusal::Invalid { .. }) => Self::InvalidToken,
            Denial::Token(TokenRefusal::TooManyFailures { retry_after, .. }) => {
                Self::TooManyFailures { retry_after: *retry_after }
            }
            Denial::Token(TokenRefusal::AddressNotAllowed { .. }) => Self::AddressNotAllowed,
            Denial::Demand { .. } => Self::InvalidDemand,
            Denial::PermissionMissing { .. } => {
                let asked = demand.permissions().map(|asked| catalogue.in_order(asked));
                let asked = asked.unwrap_or_default().into_iter();
                Self::PermissionMissing(asked.map(|entry| entry.code.to_string()).collect())
            }
        }
    }

    /// Counts a refusal that no decision was needed for, or none came.
    pub fn count(&self, surface: Surface, metrics: &Metrics) {
        let outcome = match self {
            Self::NoCredentials => Outcome::NoCredentials,
            Self::MalformedCredentials => Outcome::MalformedCredentials,
            _ => Outcome::Unavailable,
        };
        metrics.verifications.count((surface, outcome));
    }

    /// The status of HTTP.
    pub const fn status(&self) -> u16 {
        match self {
            Self::MalformedCredentials | Self::InvalidDemand => 400,
            Self::NoCredentials | Self::InvalidToken => 401,
            Self::AddressNotAllowed | Self::PermissionMissing(_) => 403,
            Self::TooManyFailures { .. } => 429,
            Self::Unavailable => 503,
        }
    }

    /// The value of `WWW-Authenticate`, if there is one.
    pub fn challenge(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::NoCredentials => Some(challenge::TOKEN_NEEDED.into()),
            Self::InvalidToken => Some(challenge::INVALID_TOKEN.into()),
            Self::MalformedCredentials => Some(challenge::INVALID_CREDENTIALS.into()),
            Self::PermissionMissing(codes) => {
                let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
                Some(challenge::insufficient_scope(&codes).into())
            }
            Self::TooManyFailures { .. }
            | Self::AddressNotAllowed
            | Self::InvalidDemand
            | Self::Unavailable => None,
        }
    }

    /// Seconds until a retry may help.
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooManyFailures { retry_after } => Some(*retry_after),
            Self::Unavailable => Some(RETRY_AFTER),
            _ => None,
        }
    }
}

/// The secret in the `Authorization` headers of a client's request.
///
/// # Errors
/// When there is none, or not just one.
pub fn presented<'a>(
    authorization: impl Iterator<Item = &'a [u8]>,
) -> Result<&'a str, GatewayRefusal> {
    match credentials(authorization) {
        Credentials::None | Credentials::Basic(_) | Credentials::OtherScheme => {
            Err(GatewayRefusal::NoCredentials)
        }
        Credentials::Malformed => Err(GatewayRefusal::MalformedCredentials),
        Credentials::Bearer(presented) => Ok(presented),
    }
}
