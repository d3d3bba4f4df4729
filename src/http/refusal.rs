//! Why a request is refused, and the status and headers that are the same on every surface. The
//! form of the body belongs to the surface; [`json`] is the form of those without one of their own.

mod json;

use actix_web::HttpResponseBuilder;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER as RETRY_AFTER_HEADER, WWW_AUTHENTICATE};

use crate::graphql::{RETRY_AFTER, TOKEN_NEEDED, TRY_AGAIN};
use crate::wire::challenge;

pub(super) use json::{JSON, RefusalBody};

/// The reason of a refusal, the same on every surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// One answer for unknown, wrong, expired, disabled and deleted.
    InvalidToken,
    /// The same, where too many tokens from one address, or in all, were not valid.
    TooManyFailures {
        /// In seconds.
        retry_after: u32,
    },
    /// Several `Authorization` headers, or one that is not well-formed.
    MalformedCredentials,
    NoCredentials,
    AddressNotAllowed,
    CrossSite,
    /// A browser asks on behalf of a page whose origin is not allowed.
    OriginNotAllowed,
    /// No answer is possible now; it may be in a moment.
    Unavailable,
    MethodNotAllowed {
        allow: &'static str,
    },
    NotAcceptable,
    /// The offer of a WebSocket is not well-formed.
    HandshakeBroken,
    /// A WebSocket is offered for another protocol than that of subscriptions.
    SubprotocolMissing,
    /// The client takes a file in none of the codings that it exists in.
    CodingNotAcceptable,
    UnsupportedMediaType,
    BodyTooLarge,
    BodyTooSlow,
    BodyBroken,
    /// The head is not well-formed HTTP.
    NotHttp,
    HeadTooLarge,
    HeadTooSlow,
    NotFound,
}

impl Refusal {
    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidToken | Self::NoCredentials => StatusCode::UNAUTHORIZED,
            Self::MalformedCredentials
            | Self::HandshakeBroken
            | Self::SubprotocolMissing
            | Self::BodyBroken
            | Self::NotHttp => StatusCode::BAD_REQUEST,
            Self::AddressNotAllowed | Self::CrossSite | Self::OriginNotAllowed => {
                StatusCode::FORBIDDEN
            }
            Self::TooManyFailures { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable | Self::CodingNotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow | Self::HeadTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::NotFound => StatusCode::NOT_FOUND,
        }
    }

    /// The reason for programs.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::TooManyFailures { .. } => "failed_proofs",
            Self::MalformedCredentials => "invalid_request",
            Self::NoCredentials => "token_missing",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::CrossSite => "cross_site",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::Unavailable => "unavailable",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::NotAcceptable => "not_acceptable",
            Self::HandshakeBroken => "handshake_broken",
            Self::SubprotocolMissing => "subprotocol_missing",
            Self::CodingNotAcceptable => "coding_not_acceptable",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyTooSlow => "body_too_slow",
            Self::BodyBroken => "body_broken",
            Self::NotHttp => "not_http",
            Self::HeadTooLarge => "head_too_large",
            Self::HeadTooSlow => "head_too_slow",
            Self::NotFound => "not_found",
        }
    }

    /// The reason for people.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::InvalidToken => "The token is not valid.",
            Self::TooManyFailures { .. } => {
                "The token is not valid, and neither were many others from this address."
            }
            Self::MalformedCredentials => {
                "Send one header `Authorization: Bearer TOKEN`, and only one."
            }
            Self::NoCredentials => TOKEN_NEEDED,
            Self::AddressNotAllowed => "The token is not allowed from this address.",
            Self::CrossSite => "A page of another site may not send this request.",
            Self::OriginNotAllowed => {
                "Pages of this origin are not allowed here: it is not in the server's \
                 `allowed-origins`."
            }
            Self::Unavailable => TRY_AGAIN,
            Self::MethodNotAllowed { .. } => {
                "This method is not allowed here; the header `Allow` names those that are. \
                 Mutations are sent by POST."
            }
            Self::NotAcceptable => {
                "The answer can be application/graphql-response+json or application/json only; \
                 there are no streams."
            }
            Self::HandshakeBroken => {
                "The offer of a WebSocket is not well-formed, or not version 13."
            }
            Self::SubprotocolMissing => {
                "The WebSocket must be offered for the subprotocol graphql-transport-ws."
            }
            Self::CodingNotAcceptable => {
                "The header `Accept-Encoding` must allow one of br, gzip and identity."
            }
            Self::UnsupportedMediaType => {
                "The body must be application/json in UTF-8, not compressed; there are no uploads."
            }
            Self::BodyTooLarge => "The body must not be larger than 64 KiB.",
            Self::BodyTooSlow => "The body did not arrive in time.",
            Self::BodyBroken => "The body could not be read.",
            Self::NotHttp => "The head of the request is not well-formed HTTP/1.1.",
            Self::HeadTooLarge => "The head of the request is too large.",
            Self::HeadTooSlow => "The head of the request did not arrive in time.",
            Self::NotFound => "There is nothing here; GraphQL is at /graphql.",
        }
    }

    /// What RFC 6750, section 3, asks for: no error code when no credentials came, or credentials
    /// of another scheme.
    const fn challenge(self) -> Option<&'static str> {
        match self {
            Self::NoCredentials => Some(challenge::TOKEN_NEEDED),
            Self::InvalidToken => Some(challenge::INVALID_TOKEN),
            Self::MalformedCredentials => Some(challenge::INVALID_CREDENTIALS),
            _ => None,
        }
    }

    /// Seconds until a retry may help.
    const fn retry_after(self) -> Option<u32> {
        match self {
            Self::Unavailable => Some(RETRY_AFTER),
            Self::TooManyFailures { retry_after } => Some(retry_after),
            _ => None,
        }
    }

    /// Status and headers, without a body.
    pub(super) fn head(self) -> HttpResponseBuilder {
        let mut builder = HttpResponseBuilder::new(self.status());
        if let Some(challenge) = self.challenge() {
            builder.insert_header((WWW_AUTHENTICATE, challenge));
        }
        if let Self::MethodNotAllowed { allow } = self {
            builder.insert_header((ALLOW, allow));
        }
        if let Some(seconds) = self.retry_after() {
            builder.insert_header((RETRY_AFTER_HEADER, seconds));
        }
        builder
    }
}
