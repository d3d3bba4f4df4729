//! The offer of a WebSocket (RFC 6455 section 4.2.1).

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CONNECTION, HOST, HeaderMap, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use actix_web::http::{ConnectionType, Method, Version};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

use crate::http::refusal::Refusal;
use crate::http::request::single_header::single_header;
use crate::http::state::HttpState;
use crate::wire::request_stream::OFFERED;

/// The subprotocol. The older `graphql-ws`, which the handler knows as well, has no codes.
const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Is a WebSocket offered? The connection lets no other offer through.
pub(in crate::http::graphql) fn is_offered(headers: &HeaderMap) -> bool {
    let mut offers = headers.get_all(UPGRADE).map(HeaderValue::as_bytes);
    offers.any(|offer| offer.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// The answer to an offer that is not accepted. What follows the head is not HTTP, so it is the
/// last one on its connection.
pub(in crate::http::graphql) fn declined(refusal: Refusal) -> HttpResponse {
    let mut response = refusal.json();
    response.head_mut().set_connection_type(ConnectionType::Close);
    response
}

/// Wraps the endpoint: judges offers, and writes those that are well-formed as the handler expects
/// them.
pub(in crate::http::graphql) async fn offer(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<web::Data<HttpState>>().cloned();
    let Some(state) = state.filter(|_| is_offered(request.headers())) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    if let Err(refusal) = judge(&request, &state) {
        return Ok(request.into_response(declined(refusal)));
    }
    let headers = request.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn judge(request: &ServiceRequest, state: &HttpState) -> Result<(), Refusal> {
    let headers = request.headers();
    let lists = |name, wanted: &str| {
        let lines = headers.get_all(name).filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|item| item.trim().eq_ignore_ascii_case(wanted))
    };
    let is_whole = request.version() == Version::HTTP_11
        && *request.method() == Method::GET
        && lists(CONNECTION, OFFERED)
        && single_header(headers, SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    if !is_whole {
        return Err(Refusal::HandshakeBroken);
    }
    if !is_of_our_page(headers, state) {
        return Err(Refusal::OriginNotAllowed);
    }
    if !lists(SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Err(Refusal::SubprotocolMissing);
    }
    Ok(())
}

/// A browser says whose page opens the WebSocket, and asks nothing before (RFC 6455 section 10.2).
/// Pages of this server and of the allowed origins may; other clients than browsers send no origin.
fn is_of_our_page(headers: &HeaderMap, state: &HttpState) -> bool {
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    if state.settings.allowed_origins.allowed(headers).is_some() {
        return true;
    }
    let text = |name| single_header(headers, name)?.to_str().ok();
    let (Some(origin), Some(host)) = (text(ORIGIN), text(HOST)) else { return false };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}
