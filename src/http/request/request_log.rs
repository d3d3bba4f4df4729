//! What is known about a request from its start, its line in the log at its end, and the headers of
//! its answer. The log has the route that the path matched, but not the path, the query string, the
//! body or the credentials, which may hold anything.
//!
//! Gateways, services that verify tokens and orchestrators ask all the time, and a line costs more
//! than a verification. What goes well there is written at `debug`, and costs next to nothing above;
//! refusals are written as everywhere.

use std::net::IpAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    CACHE_CONTROL, FORWARDED, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};
use tracing::field::display;
use tracing::{Instrument, Level, Span};

use super::path::endpoint;
use super::single_header::single_header;
use crate::domain::api_token::ApiToken;
use crate::domain::id::{ApiTokenId, UserId, request_id};
use crate::domain::verdict::TokenRefusal;
use crate::http::state::HttpState;
use crate::metrics::{Endpoint, StatusClass};
use crate::trace::{self, Parent, Start};
use crate::wire::forwarded::{ForwardedHeader, client_address};
use crate::wire::request_id::fit_for_log;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What is known of a request: from its start, and what was learned of it since.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct RequestInfo {
    pub(in crate::http) id: Option<String>,
    /// The end client's address, as far as it can be trusted.
    pub(in crate::http) client_address: Option<IpAddr>,
    /// Is the peer a trusted proxy?
    from_proxy: bool,
    learned: Learned,
}

/// What was learned of a request.
#[derive(Debug, Clone, Default)]
struct Learned {
    /// Whose token came.
    caller: Option<(ApiTokenId, UserId)>,
    /// The token that a refused secret names.
    claimed: Option<ApiTokenId>,
    /// The root fields that were refused.
    refused: Option<String>,
    /// Did it only verify tokens?
    verified: bool,
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
            client = info.client_address.map(display),
            token = info.learned.caller.map(|(token, _)| display(token)),
            user = info.learned.caller.map(|(_, user)| display(user)),
            claimed = info.learned.claimed.map(display),
            refused = info.learned.refused.as_deref()
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
    let span = if is_often_asked(endpoint) {
        span!(Level::DEBUG, request.request(), &info)
    } else {
        span!(Level::INFO, request.request(), &info)
    };
    let trace = trace::request(|| {
        let request = request.request();
        Start {
            method: known(request.method()),
            route: request.match_pattern().map(Into::into),
            request_id: info.id.as_deref().unwrap_or_default(),
            parent: parent(request).filter(|_| info.from_proxy),
        }
    });
    let id = info.id.as_deref().and_then(|id| HeaderValue::from_str(id).ok());
    request.extensions_mut().insert(info);
    let start = std::time::Instant::now();
    let answering = next.call(request).instrument(span.clone());
    let mut response = answering.instrument(trace.clone()).await?;
    trace::answered(&trace, response.status().as_u16());
    let headers = response.headers_mut();
    if let Some(value) = trace::traceresponse(&trace).and_then(|value| value.try_into().ok()) {
        headers.insert(TRACERESPONSE, value);
    }
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
    // What is wrong with the database has lines of its own, and so have refused secrets.
    let is_usual = match endpoint {
        Endpoint::Probe => true,
        Endpoint::Authorize | Endpoint::Introspect => status.is_success(),
        Endpoint::Graphql => status.is_success() && is_verification(response.request()),
        _ => false,
    };
    let is_usual = is_usual
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

/// Is this an endpoint that is asked all the time, and seldom worth a line?
const fn is_often_asked(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::Probe | Endpoint::Authorize | Endpoint::Introspect | Endpoint::Graphql
    )
}

/// Did a request to GraphQL only verify tokens, without being refused?
fn is_verification(request: &HttpRequest) -> bool {
    let extensions = request.extensions();
    let learned = extensions.get::<RequestInfo>().map(|info| &info.learned);
    learned.is_some_and(|learned| learned.verified && learned.refused.is_none())
}

/// The span of a request for a line at `info`: on routes where that is rare, it is begun only now.
pub(in crate::http) fn span_of(request: &HttpRequest) -> Span {
    let current = Span::current();
    if is_of_request(&current) {
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

fn is_of_request(span: &Span) -> bool {
    span.metadata().is_some_and(|metadata| metadata.target() == module_path!())
}

/// Notes whose token came, for the lines of the request in the log.
pub(in crate::http) fn attribute(request: &HttpRequest, own: &ApiToken) {
    learn(request, |learned| learned.caller = Some((own.id, own.user_id)));
    record(request, |span| {
        span.record("token", display(own.id));
        span.record("user", display(own.user_id));
    });
}

/// Notes the token that a refused secret names, for the lines of the request.
pub(in crate::http) fn claim(request: &HttpRequest, refusal: TokenRefusal) {
    if let Some(id) = refusal.token_id() {
        learn(request, |learned| learned.claimed = Some(id));
        record(request, |span| {
            span.record("claimed", display(id));
        });
    }
}

/// Notes the root fields that were refused, for the lines of the request.
pub(in crate::http) fn refuse(request: &HttpRequest, fields: String) {
    record(request, |span| {
        span.record("refused", &fields);
    });
    learn(request, |learned| learned.refused = Some(fields));
}

/// Notes that the request only verified tokens.
pub(in crate::http) fn verified(request: &HttpRequest) {
    learn(request, |learned| learned.verified = true);
}

fn learn(request: &HttpRequest, what: impl FnOnce(&mut Learned)) {
    if let Some(info) = request.extensions_mut().get_mut::<RequestInfo>() {
        what(&mut info.learned);
    }
}

/// Writes into the span of the request, if there is one by now. One that is begun later has it all.
fn record(request: &HttpRequest, what: impl FnOnce(&Span)) {
    let current = Span::current();
    if is_of_request(&current) {
        what(&current);
    } else if let Some(LateSpan(span)) = request.extensions().get() {
        what(span);
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
        .or_else(|| request_id(state.clock.now(), state.id_random.as_ref()).ok());
    RequestInfo {
        id,
        client_address: client_address(peer, proxies, settings.forwarded_header, lines),
        from_proxy: trusted,
        learned: Learned::default(),
    }
}

/// The trace that a proxy says the request belongs to.
fn parent(request: &HttpRequest) -> Option<Parent<'_>> {
    let text = |name| single_header(request.headers(), name)?.to_str().ok();
    Some(Parent { traceparent: text(TRACEPARENT)?, tracestate: text(TRACESTATE) })
}

/// The request id that a proxy set, if it set one, and one that is fit for a log.
fn handed_on(request: &ServiceRequest) -> Option<String> {
    let value = single_header(request.headers(), X_REQUEST_ID)?;
    fit_for_log(value.as_bytes()).map(ToOwned::to_owned)
}
