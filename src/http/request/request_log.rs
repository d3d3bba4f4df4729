//! What is known about a request from its start, its line in the log at its end, and the headers of
//! its answer. The log has the route that the path matched, but not the path, the query string, the
//! body or the credentials, which may hold anything.
//!
//! Gateways and orchestrators ask all the time, and gateways have logs of their own. What goes well
//! on their routes is written at `debug`, and costs next to nothing above; refusals are written as
//! everywhere.

use std::net::IpAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    CACHE_CONTROL, FORWARDED, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};
use tracing::field::Empty;
use tracing::{Instrument, Level, Span};

use super::path::{endpoint, is_authorize, is_probe};
use super::single_header::single_header;
use crate::domain::api_token::ApiToken;
use crate::domain::id::request_id;
use crate::domain::verdict::TokenRefusal;
use crate::http::state::HttpState;
use crate::metrics::StatusClass;
use crate::wire::forwarded::{ForwardedHeader, client_address};
use crate::wire::request_id::fit_for_log;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What is known of a request from its start.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct RequestInfo {
    pub(in crate::http) id: Option<String>,
    /// The end client's address, as far as it can be trusted.
    pub(in crate::http) client_address: Option<IpAddr>,
}

/// The span that was begun late for a request, for its lines at `info`.
struct LateSpan(Span);

/// The span of a request, with what is known of it.
macro_rules! span {
    ($level:expr, $request:expr, $info:expr) => {{
        let (request, info): (&HttpRequest, &RequestInfo) = ($request, $info);
        tracing::span!(
            $level,
            "request",
            request_id = %info.id.as_deref().unwrap_or_default(),
            method = known(request.method()),
            path = request.match_pattern().as_deref().unwrap_or("-"),
            client = info.client_address.map(tracing::field::display),
            token = Empty,
            user = Empty,
            claimed = Empty,
            refused = Empty
        )
    }};
}

/// Wraps every request.
pub(in crate::http) async fn request_log(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let state = request.app_data::<web::Data<HttpState>>().cloned();
    let info = state.as_ref().map_or_else(RequestInfo::default, |state| info(&request, state));
    let address = info.client_address;
    let endpoint = endpoint(request.path());
    let (is_probe, is_authorize) = (is_probe(request.path()), is_authorize(request.path()));
    let span = if is_probe || is_authorize {
        span!(Level::DEBUG, request.request(), &info)
    } else {
        span!(Level::INFO, request.request(), &info)
    };
    let id = info.id.as_deref().and_then(|id| HeaderValue::from_str(id).ok());
    request.extensions_mut().insert(info);
    let start = std::time::Instant::now();
    let mut response = next.call(request).instrument(span.clone()).await?;
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, id.unwrap_or_else(|| HeaderValue::from_static("")));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Answers may hold a secret or be true only at this moment, unless they say otherwise.
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let took = start.elapsed();
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let status = response.status();
    if let Some(state) = &state {
        let class = StatusClass::of(status.as_u16());
        state.service.metrics().requests.add((endpoint, class), took);
    }
    // What is wrong with the database has lines of its own.
    let is_usual = is_probe
        || is_authorize && status.is_success()
        || status.is_client_error()
            && state.is_some_and(|state| !state.refusals.is_first(address, status.as_str()));
    if is_usual {
        span.in_scope(|| tracing::debug!(status = status.as_u16(), micros, "answered"));
    } else {
        let span = if span.is_disabled() { span_of(response.request()) } else { span };
        span.in_scope(|| tracing::info!(status = status.as_u16(), micros, "answered"));
    }
    Ok(response)
}

/// The span of a request for a line at `info`: on routes where that is rare, it is begun only now.
pub(in crate::http) fn span_of(request: &HttpRequest) -> Span {
    let current = Span::current();
    if !current.is_disabled() {
        return current;
    }
    if let Some(LateSpan(span)) = request.extensions().get() {
        return span.clone();
    }
    let info = request.extensions().get::<RequestInfo>().cloned().unwrap_or_default();
    let span = span!(Level::INFO, request, &info);
    request.extensions_mut().insert(LateSpan(span.clone()));
    span
}

/// Writes whose token came into the span of the request, and so into its line in the log.
pub(in crate::http) fn attribute(own: &ApiToken) {
    let span = Span::current();
    if !span.is_disabled() {
        span.record("token", tracing::field::display(own.id));
        span.record("user", tracing::field::display(own.user_id));
    }
}

/// Writes the token that a refused secret names into the span of the request.
pub(in crate::http) fn claim(refusal: TokenRefusal) {
    if let Some(id) = refusal.token_id() {
        Span::current().record("claimed", tracing::field::display(id));
    }
}

/// A method can be any word.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS
        | Method::TRACE
        | Method::CONNECT => method.as_str(),
        _ => "-",
    }
}

fn info(request: &ServiceRequest, state: &HttpState) -> RequestInfo {
    let settings = &state.settings;
    let peer = request.peer_addr().map(|peer| peer.ip());
    let header = match settings.forwarded_header {
        ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
        ForwardedHeader::Forwarded => FORWARDED,
    };
    let lines = request.headers().get_all(header).map(HeaderValue::as_bytes);
    let proxies = &settings.trusted_proxies;
    let trusted = peer.is_some_and(|peer| proxies.contains(peer));
    let id = handed_on(request)
        .filter(|_| trusted)
        .or_else(|| request_id(state.clock.now(), state.random.as_ref()).ok());
    RequestInfo {
        id,
        client_address: client_address(peer, proxies, settings.forwarded_header, lines),
    }
}

/// The request id that a proxy set, if it set one, and one that is fit for a log.
fn handed_on(request: &ServiceRequest) -> Option<String> {
    let value = single_header(request.headers(), X_REQUEST_ID)?;
    fit_for_log(value.as_bytes()).map(ToOwned::to_owned)
}
