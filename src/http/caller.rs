//! Finds the caller from the headers of a request. Credentials come only from the `Authorization`
//! header, never from the query string, where they would end up in logs.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use tokio::time::timeout;

use super::refusal::Refusal;
use super::request::request_log::RequestInfo;
use super::state::HttpState;
use crate::domain::principal::{Origin, Principal};
use crate::domain::verdict::TokenRefusal;
use crate::service::AuthenticateError;
use crate::wire::bearer::{Credentials, credentials};

/// Who sent a request, and from where. As a handler's argument, it is authenticated before the body
/// is read.
#[derive(Debug)]
pub(super) struct Caller {
    /// `None`: the request carries no credentials at all.
    pub(super) principal: Option<Principal>,
    pub(super) origin: Origin,
}

impl FromRequest for Caller {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { caller(&request).await })
    }
}

async fn caller(request: &HttpRequest) -> Result<Caller, Refusal> {
    let state = request.app_data::<web::Data<HttpState>>().ok_or(Refusal::Unavailable)?;
    let info = request.extensions().get::<RequestInfo>().cloned();
    let RequestInfo { id: request_id, client_address } = info.ok_or(Refusal::Unavailable)?;
    let origin = Origin { client_address, request_id };
    let judged = timeout(state.settings.request_timeout, principal(request, &origin, state)).await;
    let principal = judged.unwrap_or(Err(Refusal::Unavailable))?;
    Ok(Caller { principal, origin })
}

async fn principal(
    request: &HttpRequest,
    origin: &Origin,
    state: &HttpState,
) -> Result<Option<Principal>, Refusal> {
    let lines = request.headers().get_all(AUTHORIZATION).map(|value| value.as_bytes());
    let presented = match credentials(lines) {
        Credentials::None => return Ok(None),
        Credentials::OtherScheme => return Err(Refusal::NoCredentials),
        Credentials::Malformed => return Err(Refusal::MalformedCredentials),
        Credentials::Bearer(presented) => presented,
    };
    match state.service.authenticate(presented, origin.client_address).await {
        Ok(principal) => Ok(Some(principal)),
        Err(AuthenticateError::Refused(refusal)) => {
            let token = refusal.token_id().map(tracing::field::display);
            if state.refusals.is_first(origin.client_address, &refusal.to_string()) {
                tracing::info!(reason = %refusal, token, "authentication refused");
            } else {
                tracing::debug!(reason = %refusal, token, "authentication refused");
            }
            Err(refusal.into())
        }
        Err(AuthenticateError::Unavailable(error)) => {
            tracing::warn!(%error, "authentication was not possible");
            Err(Refusal::Unavailable)
        }
    }
}

impl From<TokenRefusal> for Refusal {
    fn from(refusal: TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::Invalid { .. } => Self::InvalidToken,
            TokenRefusal::AddressNotAllowed { .. } => Self::AddressNotAllowed,
        }
    }
}
