//! How GraphQL over HTTP answers a request that it does not run.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder};

use super::negotiation::MediaType;
use crate::graphql::ErrorCode;
use crate::http::refusal::{Refusal, RefusalBody};

/// Why a request to this endpoint is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GraphqlRefusal {
    /// A reason that every surface has.
    Common(Refusal),
    /// The parameters of GraphQL have faults.
    Params(&'static str),
    /// A hash was sent instead of a query.
    PersistedQuery,
}

impl From<Refusal> for GraphqlRefusal {
    fn from(refusal: Refusal) -> Self {
        Self::Common(refusal)
    }
}

impl GraphqlRefusal {
    /// The whole answer.
    pub(super) fn response(self, media: MediaType) -> HttpResponse {
        let head = |status| HttpResponseBuilder::new(status);
        let (mut builder, body) = match self {
            Self::Common(refusal) => (refusal.head(), refusal.into()),
            Self::Params(message) => {
                let code = ErrorCode::BadUserInput.as_str();
                (head(StatusCode::BAD_REQUEST), body(message, code, "invalid_parameters"))
            }
            // The request has no fault, and some clients read the error only from a 200. They look
            // for message and code.
            Self::PersistedQuery => {
                let code = "PERSISTED_QUERY_NOT_SUPPORTED";
                let body = body("PersistedQueryNotSupported", code, "persisted_query");
                (head(refused_status(media)), body)
            }
        };
        builder.content_type(media.content_type()).body(body.text())
    }
}

const fn body(message: &'static str, code: &'static str, reason: &'static str) -> RefusalBody {
    RefusalBody { message, code, reason, retry_after: None }
}

/// GraphQL over HTTP, sections 6.4.1 and 6.4.2: the older media type answers 200 once the
/// parameters are well-formed, because proxies that do not know GraphQL may answer 4xx themselves.
pub(super) const fn refused_status(media: MediaType) -> StatusCode {
    match media {
        MediaType::Json => StatusCode::OK,
        MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
    }
}
