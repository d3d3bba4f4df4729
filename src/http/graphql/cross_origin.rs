//! What a browser lets pages of other origins do with an endpoint (Fetch, "CORS protocol").
//!
//! actix-cors is not used because it sends its exposed headers to origins that are not allowed,
//! lets the first of several `Origin` headers decide, and refuses in plain text.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN,
    VARY,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

use crate::http::refusal::Refusal;
use crate::http::state::HttpState;

type Headers = &'static [(&'static str, &'static str)];

/// The answer to an allowed page's preflight. The star covers the headers that clients and their
/// telemetry add; it does not cover `authorization`, and old browsers do not know it. Nothing
/// allows credentials: a token is a header that a page sets, never a cookie that a browser adds.
const BEFORE: Headers = &[
    ("access-control-allow-methods", "GET, POST"),
    ("access-control-allow-headers", "authorization, content-type, accept, *"),
    // Two hours, which is the longest for Chromium.
    ("access-control-max-age", "7200"),
];
/// What an allowed page may read of an answer beside its body.
const WITH_ANSWER: Headers =
    &[("access-control-expose-headers", "www-authenticate, retry-after, x-request-id")];

/// Wraps an endpoint. Pages of allowed origins can read every answer, refusals too. All others get
/// no such header, and browsers keep the answers from them.
pub(super) async fn cross_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<web::Data<HttpState>>().cloned();
    let origins = state.as_ref().map(|state| &state.settings.allowed_origins);
    let page = origins.and_then(|origins| origins.allowed(request.headers()));
    let (mut response, added) = if is_preflight(&request) {
        let answer = match page {
            Some(_) => HttpResponse::NoContent().finish(),
            None => Refusal::OriginNotAllowed.json(),
        };
        (request.into_response(answer), BEFORE)
    } else {
        (next.call(request).await?.map_into_boxed_body(), WITH_ANSWER)
    };
    let headers = response.headers_mut();
    if origins.is_some_and(|origins| !origins.is_empty()) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(page) = page {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, page);
        for (name, value) in added {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
    Ok(response)
}

/// A browser asks whether a page may send a request that is not a simple one.
fn is_preflight(request: &ServiceRequest) -> bool {
    let has = |name| request.headers().contains_key(name);
    *request.method() == Method::OPTIONS && has(ORIGIN) && has(ACCESS_CONTROL_REQUEST_METHOD)
}
