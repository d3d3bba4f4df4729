//! How these endpoints refuse: `error` and `error_description` (RFC 6749 section 5.2).

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::json;

use crate::domain::principal::MissingPermission;
use crate::http::refusal::{JSON, Refusal};
use crate::wire::challenge;

/// Why a request to one of these endpoints is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OauthRefusal {
    /// A reason that every surface has.
    Common(Refusal),
    /// The body is no form.
    NotForm,
    /// A parameter comes twice.
    Repeated,
    /// The request names no token.
    TokenMissing,
    /// The client address cannot be read.
    ClientAddress,
    /// The catalogue lacks a permission that is asked for.
    Scope,
    /// The caller may not ask.
    Forbidden(&'static str),
}

impl From<Refusal> for OauthRefusal {
    fn from(refusal: Refusal) -> Self {
        Self::Common(refusal)
    }
}

impl From<MissingPermission> for OauthRefusal {
    fn from(MissingPermission(permission): MissingPermission) -> Self {
        Self::Forbidden(permission)
    }
}

impl OauthRefusal {
    /// The whole answer. Clients such as Java's send Basic only after it was asked for.
    pub(super) fn response(self) -> HttpResponse {
        let mut builder = match self {
            Self::Common(refusal) => refusal.head(),
            Self::Forbidden(permission) => {
                let mut builder = HttpResponseBuilder::new(StatusCode::FORBIDDEN);
                let challenge = challenge::insufficient_scope(&[permission]);
                builder.insert_header((WWW_AUTHENTICATE, challenge));
                builder
            }
            _ => HttpResponseBuilder::new(StatusCode::BAD_REQUEST),
        };
        let body = json!({ "error": self.error(), "error_description": self.description() });
        let mut response = builder.content_type(JSON).body(body.to_string());
        if response.status() == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static(challenge::BASIC);
            response.headers_mut().append(WWW_AUTHENTICATE, basic);
        }
        response
    }

    const fn error(self) -> &'static str {
        match self {
            Self::Common(Refusal::InvalidToken | Refusal::NoCredentials) => "invalid_client",
            Self::Common(Refusal::Unavailable) => "temporarily_unavailable",
            Self::Common(refusal) => refusal.reason(),
            Self::NotForm | Self::Repeated | Self::TokenMissing | Self::ClientAddress => {
                "invalid_request"
            }
            Self::Scope => "invalid_scope",
            Self::Forbidden(_) => "insufficient_scope",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::Common(refusal) => refusal.message(),
            Self::NotForm => "The body must be application/x-www-form-urlencoded in UTF-8.",
            Self::Repeated => "A parameter comes twice.",
            Self::TokenMissing => "The parameter `token` is missing.",
            Self::ClientAddress => "`client_address` must be an IP address.",
            Self::Scope => {
                "`required_scope` must be permissions of the catalogue, as dotted codes separated \
                 by a space."
            }
            Self::Forbidden(_) => "Your token lacks the permission api.api-tokens.read.",
        }
    }
}
