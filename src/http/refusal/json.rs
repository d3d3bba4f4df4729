//! The form of a refusal on a surface that has none of its own: that of a GraphQL answer, so that
//! clients read only one form.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, json};

use super::Refusal;
use crate::graphql::ErrorCode;

/// JSON; its encoding is always UTF-8.
pub(in crate::http) const JSON: &str = "application/json; charset=utf-8";

/// The body of a refusal in the form of a GraphQL answer.
pub(in crate::http) struct RefusalBody {
    pub(in crate::http) message: &'static str,
    pub(in crate::http) code: &'static str,
    pub(in crate::http) reason: &'static str,
    /// In seconds.
    pub(in crate::http) retry_after: Option<u32>,
}

impl RefusalBody {
    pub(in crate::http) fn text(&self) -> String {
        let mut extensions = Map::new();
        extensions.insert("code".to_owned(), self.code.into());
        extensions.insert("reason".to_owned(), self.reason.into());
        if let Some(seconds) = self.retry_after {
            extensions.insert("retryAfter".to_owned(), seconds.into());
        }
        json!({ "errors": [{ "message": self.message, "extensions": extensions }] }).to_string()
    }
}

impl From<Refusal> for RefusalBody {
    fn from(refusal: Refusal) -> Self {
        Self {
            message: refusal.message(),
            code: code(refusal).as_str(),
            reason: refusal.reason(),
            retry_after: refusal.retry_after(),
        }
    }
}

impl Refusal {
    /// The whole answer in JSON.
    pub(in crate::http) fn json(self) -> HttpResponse {
        self.head().content_type(JSON).body(RefusalBody::from(self).text())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

/// The refusal of an extractor is answered in JSON unless the handler has another form for it.
impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.json()
    }
}

const fn code(refusal: Refusal) -> ErrorCode {
    match refusal {
        Refusal::InvalidToken | Refusal::NoCredentials => ErrorCode::Unauthenticated,
        Refusal::AddressNotAllowed | Refusal::CrossSite | Refusal::OriginNotAllowed => {
            ErrorCode::Forbidden
        }
        Refusal::TooManyFailures { .. } => ErrorCode::RateLimited,
        Refusal::Unavailable => ErrorCode::Unavailable,
        Refusal::NotFound => ErrorCode::NotFound,
        Refusal::MalformedCredentials
        | Refusal::MethodNotAllowed { .. }
        | Refusal::NotAcceptable
        | Refusal::HandshakeBroken
        | Refusal::SubprotocolMissing
        | Refusal::CodingNotAcceptable
        | Refusal::UnsupportedMediaType
        | Refusal::BodyTooLarge
        | Refusal::BodyTooSlow
        | Refusal::BodyBroken
        | Refusal::NotHttp
        | Refusal::HeadTooLarge
        | Refusal::HeadTooSlow => ErrorCode::BadUserInput,
    }
}
