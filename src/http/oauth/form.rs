//! The parameters of a request: a form (RFC 6749 appendix B).

use std::collections::HashMap;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::{HttpRequest, web};
use zeroize::Zeroizing;

use super::refusal::OauthRefusal;
use crate::domain::id::ApiTokenId;
use crate::http::refusal::Refusal;
use crate::http::request::body::read_body;
use crate::http::request::single_header::single_header;
use crate::http::state::HttpState;
use crate::service::Arrival;

const FORM: &str = "application/x-www-form-urlencoded";

/// The parameters of a request. They may hold secrets, and are wiped in the end.
pub(super) struct Form(HashMap<String, Zeroizing<String>>);

impl Form {
    /// Reads the body of a request, and whether it had to be waited for. A parameter that comes
    /// twice is refused; one without a value counts as left out (RFC 6749 section 3.2).
    pub(super) async fn read(
        request: &HttpRequest,
        body: web::Payload,
        state: &HttpState,
        caller: Option<ApiTokenId>,
    ) -> Result<(Self, Arrival), OauthRefusal> {
        let headers = request.headers();
        let content_type = single_header(headers, CONTENT_TYPE);
        let essence = content_type.and_then(|value| value.to_str().ok());
        let essence = essence.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case(FORM) || headers.contains_key(CONTENT_ENCODING) {
            return Err(OauthRefusal::NotForm);
        }
        let (share, limit) = (state.room.share(caller), state.settings.request_timeout);
        let read = read_body(headers, body, limit, &share).await?;
        let body = Zeroizing::new(Vec::from(read.bytes.as_ref()));
        if str::from_utf8(&body).is_err() {
            return Err(Refusal::BodyBroken.into());
        }
        let mut parameters = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(&body) {
            let value = Zeroizing::new(value.into_owned());
            if parameters.insert(name.into_owned(), value).is_some() {
                return Err(OauthRefusal::Repeated);
            }
        }
        parameters.retain(|_, value| !value.is_empty());
        Ok((Self(parameters), read.arrival))
    }

    /// A parameter, unless it was left out.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str())
    }

    /// The token that the request is about.
    pub(super) fn token(&self) -> Result<&str, OauthRefusal> {
        self.get("token").ok_or(OauthRefusal::TokenMissing)
    }
}
