//! `/authorize`: forward-auth. A gateway asks before each request that it lets through, with the
//! `Authorization` header of that request and the permissions that it needs. The answer is its
//! status and headers: there is never a body, and that of the request is never read.
//!
//! The method says nothing: some gateways send that of the client's request.

use std::net::IpAddr;

use actix_web::http::header::{
    AUTHORIZATION, HeaderName, HeaderValue, InvalidHeaderValue, WWW_AUTHENTICATE,
};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use tokio::time::timeout;

use super::caller::{refused_token, unavailable};
use super::refusal::Refusal;
use super::request::path::AUTHORIZE;
use super::request::request_log::{RequestInfo, attribute, span_of};
use super::state::HttpState;
use crate::domain::api_token::ApiToken;
use crate::domain::verification::{Decision, Demand, Denial};
use crate::service::Service;
use crate::surface::log_denial;
use crate::wire::bearer::{Credentials, credentials};
use crate::wire::challenge::insufficient_scope;
use crate::wire::{demand, identity};

const BEHIND: &str = "/authorize/{rest:.*}";
const IN_PATH: &str = "/authorize/permissions/";

/// Routes of this endpoint.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.service(web::resource([AUTHORIZE, BEHIND]).to(authorize));
}

async fn authorize(request: HttpRequest, state: web::Data<HttpState>) -> HttpResponse {
    let answered = timeout(state.settings.request_timeout, answer(&request, &state)).await;
    answered.unwrap_or(Err(Refusal::Unavailable)).unwrap_or_else(|refusal| refusal.head().finish())
}

async fn answer(request: &HttpRequest, state: &HttpState) -> Result<HttpResponse, Refusal> {
    let client = request.extensions().get().map(|info: &RequestInfo| info.client_address);
    let client = client.ok_or(Refusal::Unavailable)?;
    let lines = request.headers().get_all(AUTHORIZATION).map(|value| value.as_bytes());
    let presented = match credentials(lines) {
        Credentials::None | Credentials::Basic(_) | Credentials::OtherScheme => {
            return Err(Refusal::NoCredentials);
        }
        Credentials::Malformed => return Err(Refusal::MalformedCredentials),
        Credentials::Bearer(presented) => presented,
    };
    let demand = demand_of(request, client, state)?;
    let decided = state.service.verify(presented, &demand).await;
    match decided.map_err(|error| span_of(request).in_scope(|| unavailable(&error)))? {
        Decision::Allowed(token) => {
            attribute(&token);
            allowed(&token, &state.service)
        }
        Decision::Denied(denial) => {
            span_of(request).in_scope(|| denied(denial, &demand, client, state))
        }
    }
}

/// What the gateway asks for: by the path if it begins so, else by the query string.
fn demand_of(
    request: &HttpRequest,
    client: Option<IpAddr>,
    state: &HttpState,
) -> Result<Demand, Refusal> {
    let (path, catalogue) = (request.uri().path(), state.service.catalogue());
    let demand = if let Some(rest) = path.strip_prefix(IN_PATH) {
        let codes = demand::from_path(rest);
        Demand::new(catalogue, codes.iter().map(String::as_str), client)
    } else if path == AUTHORIZE {
        match demand::from_query(request.query_string()) {
            Some(codes) => Demand::new(catalogue, codes.iter().map(AsRef::as_ref), client),
            None => Demand::unreadable(client),
        }
    } else {
        return Err(Refusal::NotFound);
    };
    Ok(if state.settings.authorize_needs_permission { demand.for_something() } else { demand })
}

/// Every header is there, so that none that a client sent under the same name survives.
fn allowed(token: &ApiToken, service: &Service) -> Result<HttpResponse, Refusal> {
    let mut answer = HttpResponse::Ok().finish();
    for (name, value) in identity::NAMES.into_iter().zip(service.identity(token).values()) {
        let value = value.try_into().map_err(|error: InvalidHeaderValue| {
            tracing::error!(%error, name, "a header cannot be written, which is a defect");
            Refusal::Unavailable
        })?;
        let value: HeaderValue = value;
        answer.headers_mut().insert(HeaderName::from_static(name), value);
    }
    Ok(answer)
}

/// Logs why the request does not pass.
fn denied(
    denial: Denial,
    demand: &Demand,
    client: Option<IpAddr>,
    state: &HttpState,
) -> Result<HttpResponse, Refusal> {
    if let Denial::Token(refusal) = denial {
        return Err(refused_token(refusal, client, state));
    }
    log_denial(&denial, demand, &state.refusals);
    if let Denial::Demand { .. } = denial {
        return Err(Refusal::InvalidDemand);
    }
    let asked = demand.permissions().map(|asked| state.service.catalogue().in_order(asked));
    let asked = asked.unwrap_or_default();
    let codes: Vec<&str> = asked.iter().map(|entry| entry.code.as_str()).collect();
    let challenge = (WWW_AUTHENTICATE, insufficient_scope(&codes));
    Ok(Refusal::PermissionMissing.head().insert_header(challenge).finish())
}
