//! `/authorize`: forward-auth. A gateway asks before each request that it lets through, with the
//! `Authorization` header of that request and the permissions that it needs. The answer is its
//! status and headers: there is never a body, and that of the request is never read.
//!
//! The method says nothing: some gateways send that of the client's request.

mod identity_headers;

use std::net::IpAddr;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, web};
use tokio::time::timeout;

use super::caller::{refused_token, unavailable};
use super::refusal::Refusal;
use super::request::path::AUTHORIZE;
use super::request::request_log::{RequestInfo, attribute, span_of};
use super::state::HttpState;
use crate::domain::api_token::ApiToken;
use crate::domain::verification::{Decision, Demand, Denial};
use crate::metrics::Surface;
use crate::surface::{GatewayRefusal, log_denial, presented};
use crate::wire::demand;

pub use self::identity_headers::IdentityHeaders;

const BEHIND: &str = "/authorize/{rest:.*}";
const IN_PATH: &str = "/authorize/permissions/";

/// The route of this endpoint itself.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.service(web::resource(AUTHORIZE).to(authorize));
}

/// The route of what is behind it. To be added last: each request that is compared with such a
/// pattern pays for a regular expression.
pub(super) fn configure_behind(config: &mut web::ServiceConfig) {
    config.service(web::resource(BEHIND).to(authorize));
}

async fn authorize(request: HttpRequest, state: web::Data<HttpState>) -> HttpResponse {
    let path = request.uri().path();
    if path != AUTHORIZE && !path.starts_with(IN_PATH) {
        return Refusal::NotFound.head().finish();
    }
    let answered = timeout(state.settings.request_timeout, answer(&request, &state)).await;
    let answered = answered.unwrap_or_else(|_| {
        count(&GatewayRefusal::Unavailable, &state);
        Err(GatewayRefusal::Unavailable)
    });
    answered.unwrap_or_else(|refusal| refused(&refusal))
}

async fn answer(request: &HttpRequest, state: &HttpState) -> Result<HttpResponse, GatewayRefusal> {
    let client = request.extensions().get().map(|info: &RequestInfo| info.client_address);
    let client = client.ok_or(GatewayRefusal::Unavailable)?;
    let lines = request.headers().get_all(AUTHORIZATION).map(|value| value.as_bytes());
    let presented = presented(lines).inspect_err(|refusal| count(refusal, state))?;
    let demand = demand_of(request, client, state);
    let decided = state.service.verify(Surface::Authorize, presented, &demand).await;
    let decided = decided.map_err(|error| {
        unavailable(request, &error);
        GatewayRefusal::Unavailable
    })?;
    match decided {
        Decision::Allowed(usable) => {
            attribute(request, &usable.token);
            allowed(&usable.token, state)
        }
        Decision::Denied(denial) => {
            log(request, &denial, &demand, client, state);
            Err(GatewayRefusal::of(&denial, &demand, state.service.catalogue()))
        }
    }
}

fn count(refusal: &GatewayRefusal, state: &HttpState) {
    refusal.count(Surface::Authorize, state.service.metrics());
}

/// What the gateway asks for: by the path if it begins so, else by the query string.
fn demand_of(request: &HttpRequest, client: Option<IpAddr>, state: &HttpState) -> Demand {
    let catalogue = state.service.catalogue();
    let demand = if let Some(rest) = request.uri().path().strip_prefix(IN_PATH) {
        let codes = demand::from_path(rest);
        Demand::new(catalogue, codes.iter().map(String::as_str), client)
    } else {
        match demand::from_query(request.query_string()) {
            Some(codes) => Demand::new(catalogue, codes.iter().map(AsRef::as_ref), client),
            None => Demand::unreadable(client),
        }
    };
    if state.settings.authorize_needs_permission { demand.for_something() } else { demand }
}

fn allowed(token: &ApiToken, state: &HttpState) -> Result<HttpResponse, GatewayRefusal> {
    let identity = state.identity_headers.of(token, &state.service).map_err(|error| {
        tracing::error!(%error, "a header cannot be written, which is a defect");
        GatewayRefusal::Unavailable
    })?;
    let mut answer = HttpResponse::Ok().finish();
    for (name, value) in identity {
        answer.headers_mut().insert(name, value);
    }
    Ok(answer)
}

fn refused(refusal: &GatewayRefusal) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.status());
    let mut builder = HttpResponseBuilder::new(status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE));
    if let Some(challenge) = refusal.challenge() {
        builder.insert_header((WWW_AUTHENTICATE, challenge.as_ref()));
    }
    if let Some(seconds) = refusal.retry_after() {
        builder.insert_header((RETRY_AFTER, seconds));
    }
    builder.finish()
}

/// Logs why the request does not pass.
fn log(
    request: &HttpRequest,
    denial: &Denial,
    demand: &Demand,
    client: Option<IpAddr>,
    state: &HttpState,
) {
    match denial {
        Denial::Token(refusal) => {
            refused_token(request, *refusal, client, state);
        }
        Denial::Demand { .. } | Denial::PermissionMissing { .. } => {
            log_denial(denial, demand.client(), &state.refusals, || span_of(request));
        }
    }
}
