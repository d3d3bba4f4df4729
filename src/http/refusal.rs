//! Every answer that is no GraphQL result: one place decides its status, code and headers. The bodies
//! have the form of a GraphQL answer, so that a client reads one form only.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER as RETRY_AFTER_HEADER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::{Map, json};

use super::graphql::negotiation::MediaType;
use crate::graphql::{ErrorCode, RETRY_AFTER, TOKEN_NEEDED, TRY_AGAIN};

/// Why a request is refused before GraphQL runs, or although it ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// One answer for unknown, wrong, expired, disabled and deleted.
    InvalidToken,
    /// Several `Authorization` headers, or one that is not well-formed.
    MalformedCredentials,
    NoCredentials,
    AddressNotAllowed,
    CrossSite,
    /// A browser asks for a page whose origin is not allowed.
    OriginNotAllowed,
    Unavailable,
    MethodNotAllowed {
        allow: &'static str,
    },
    NotAcceptable,
    UnsupportedMediaType,
    BodyTooLarge,
    BodyTooSlow,
    BodyBroken,
    /// The parameters of GraphQL are at fault.
    Params(&'static str),
    /// A hash came in place of a query.
    PersistedQuery,
    NotFound,
}

impl Refusal {
    const fn status(self, media: MediaType) -> StatusCode {
        match self {
            Self::InvalidToken | Self::NoCredentials => StatusCode::UNAUTHORIZED,
            Self::MalformedCredentials | Self::BodyBroken | Self::Params(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::AddressNotAllowed | Self::CrossSite | Self::OriginNotAllowed => {
                StatusCode::FORBIDDEN
            }
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            // Nothing is wrong with the request, and some clients read the error of a 200 only.
            Self::PersistedQuery => refused_status(media),
            Self::NotFound => StatusCode::NOT_FOUND,
        }
    }

    const fn code(self) -> &'static str {
        let code = match self {
            // The one that clients with persisted queries look for.
            Self::PersistedQuery => return "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::InvalidToken | Self::NoCredentials => ErrorCode::Unauthenticated,
            Self::AddressNotAllowed | Self::CrossSite | Self::OriginNotAllowed => {
                ErrorCode::Forbidden
            }
            Self::Unavailable => ErrorCode::Unavailable,
            Self::NotFound => ErrorCode::NotFound,
            Self::MalformedCredentials
            | Self::MethodNotAllowed { .. }
            | Self::NotAcceptable
            | Self::UnsupportedMediaType
            | Self::BodyTooLarge
            | Self::BodyTooSlow
            | Self::BodyBroken
            | Self::Params(_) => ErrorCode::BadUserInput,
        };
        code.as_str()
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::MalformedCredentials => "invalid_request",
            Self::NoCredentials => "token_missing",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::CrossSite => "cross_site",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::Unavailable => "unavailable",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::NotAcceptable => "not_acceptable",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyTooSlow => "body_too_slow",
            Self::BodyBroken => "body_broken",
            Self::Params(_) => "invalid_parameters",
            Self::PersistedQuery => "persisted_query",
            Self::NotFound => "not_found",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::InvalidToken => "The token is not valid.",
            Self::MalformedCredentials => {
                "Send one header `Authorization: Bearer TOKEN`, and only one."
            }
            Self::NoCredentials => TOKEN_NEEDED,
            Self::AddressNotAllowed => "The token is not allowed from this address.",
            Self::CrossSite => "A page of another site may not send this request.",
            Self::OriginNotAllowed => {
                "Pages of this origin may not ask here: it is not among the server's `allowed-origins`."
            }
            Self::Unavailable => TRY_AGAIN,
            Self::MethodNotAllowed { .. } => {
                "This method is not allowed here; the header `Allow` names those that are. Mutations are \
                 sent by POST."
            }
            Self::NotAcceptable => {
                "The answer can be application/graphql-response+json or application/json only; there are no \
                 streams."
            }
            Self::UnsupportedMediaType => {
                "The body must be application/json in UTF-8, not compressed; there are no uploads."
            }
            Self::BodyTooLarge => "The body must not be larger than 64 KiB.",
            Self::BodyTooSlow => "The body did not arrive in time.",
            Self::BodyBroken => "The body could not be read.",
            Self::Params(message) => message,
            Self::PersistedQuery => "PersistedQueryNotSupported",
            Self::NotFound => "There is nothing here; GraphQL is at /graphql.",
        }
    }

    /// What RFC 6750, section 3, asks for: no error code when no credentials came, or credentials of
    /// another scheme.
    const fn challenge(self) -> Option<&'static str> {
        match self {
            Self::NoCredentials => Some("Bearer realm=\"tokenwright\""),
            Self::InvalidToken => Some(
                "Bearer realm=\"tokenwright\", error=\"invalid_token\", \
                 error_description=\"The token is not valid\"",
            ),
            Self::MalformedCredentials => Some(
                "Bearer realm=\"tokenwright\", error=\"invalid_request\", \
                 error_description=\"One Authorization header with one token is needed\"",
            ),
            _ => None,
        }
    }

    /// The whole answer.
    pub(super) fn response(self, media: MediaType) -> HttpResponse {
        let mut builder = HttpResponseBuilder::new(self.status(media));
        let mut extensions = Map::new();
        extensions.insert("code".to_owned(), self.code().into());
        extensions.insert("reason".to_owned(), self.reason().into());
        if let Some(challenge) = self.challenge() {
            builder.insert_header((WWW_AUTHENTICATE, challenge));
        }
        if let Self::MethodNotAllowed { allow } = self {
            builder.insert_header((ALLOW, allow));
        }
        if self == Self::Unavailable {
            builder.insert_header((RETRY_AFTER_HEADER, RETRY_AFTER));
            extensions.insert("retryAfter".to_owned(), RETRY_AFTER.into());
        }
        let body = json!({ "errors": [{ "message": self.message(), "extensions": extensions }] });
        builder.content_type(media.content_type()).body(body.to_string())
    }
}

/// GraphQL over HTTP, sections 6.4.1 and 6.4.2: the older media type answers 200 once the parameters
/// are well-formed, because proxies that do not know GraphQL may answer 4xx themselves.
pub(super) const fn refused_status(media: MediaType) -> StatusCode {
    match media {
        MediaType::Json => StatusCode::OK,
        MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
    }
}
