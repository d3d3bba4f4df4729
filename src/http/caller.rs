//! Finds the caller from the headers of a request. Credentials come only from the `Authorization`
//! header, never from the query string, where they would end up in logs.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::refusal::Refusal;
use super::request::request_log::{RequestInfo, attribute, claim, span_of};
use super::state::HttpState;
use crate::domain::id::ApiTokenId;
use crate::domain::principal::Origin;
use crate::domain::verdict::TokenRefusal;
use crate::service::{Admitted, Arrival, AuthenticateError, FirstLook, JudgeError};
use crate::wire::basic::password;
use crate::wire::bearer::{Credentials, credentials};

/// Who sent the head of a request, and from where. As a handler's argument, it is looked at before
/// the body is read; [`Self::admit`] makes the caller of use cases of it, once the body is there.
#[derive(Debug)]
pub(super) struct Caller {
    /// `None`: the request carries no credentials at all.
    look: Option<FirstLook>,
    pub(super) origin: Origin,
}

impl FromRequest for Caller {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { caller(&request, Schemes::Bearer).await })
    }
}

/// How a token may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Schemes {
    Bearer,
    /// As the password of HTTP Basic as well, with any user name.
    BearerOrBasic,
}

impl Caller {
    /// The caller of an endpoint whose clients know HTTP Basic only.
    pub(super) async fn with_basic(request: &HttpRequest) -> Result<Self, Refusal> {
        caller(request, Schemes::BearerOrBasic).await
    }

    /// Does the request carry no credentials at all?
    pub(super) const fn is_anonymous(&self) -> bool {
        self.look.is_none()
    }

    /// The token that the request carries.
    pub(super) fn token_id(&self) -> Option<ApiTokenId> {
        self.look.as_ref().map(FirstLook::token_id)
    }

    /// The caller, now that the whole request is there; `None` if it carries no credentials.
    pub(super) async fn admit(
        self,
        request: &HttpRequest,
        arrival: Arrival,
        state: &HttpState,
    ) -> Result<(Option<Arc<Admitted>>, Origin), Refusal> {
        let Self { look, origin } = self;
        let Some(look) = look else { return Ok((None, origin)) };
        let admitted = timeout(state.settings.request_timeout, state.service.admit(look, arrival));
        let refused = |error| refused(request, error, origin.client_address, state);
        let admitted = admitted.await.map_err(|_| Refusal::Unavailable)?.map_err(refused)?;
        if let Some(own) = admitted.principal().api_token() {
            attribute(request, own);
        }
        Ok((Some(Arc::new(admitted)), origin))
    }
}

async fn caller(request: &HttpRequest, schemes: Schemes) -> Result<Caller, Refusal> {
    let state = request.app_data::<web::Data<HttpState>>().ok_or(Refusal::Unavailable)?;
    let info = request.extensions().get::<RequestInfo>().cloned();
    let RequestInfo { id: request_id, client_address, .. } = info.ok_or(Refusal::Unavailable)?;
    let origin = Origin { client_address, request_id };
    let looking = look(request, schemes, &origin, state);
    let looked = timeout(state.settings.request_timeout, looking).await;
    let look = looked.unwrap_or(Err(Refusal::Unavailable))?;
    Ok(Caller { look, origin })
}

async fn look(
    request: &HttpRequest,
    schemes: Schemes,
    origin: &Origin,
    state: &HttpState,
) -> Result<Option<FirstLook>, Refusal> {
    let lines = request.headers().get_all(AUTHORIZATION).map(|value| value.as_bytes());
    let presented = match credentials(lines) {
        Credentials::None => return Ok(None),
        Credentials::Basic(encoded) if schemes == Schemes::BearerOrBasic => {
            password(encoded).ok_or(Refusal::MalformedCredentials)?
        }
        Credentials::Basic(_) | Credentials::OtherScheme => return Err(Refusal::NoCredentials),
        Credentials::Malformed => return Err(Refusal::MalformedCredentials),
        Credentials::Bearer(presented) => Zeroizing::new(presented.to_owned()),
    };
    let look = state.service.look(&presented, origin.client_address).await;
    look.map(Some).map_err(|error| refused(request, error, origin.client_address, state))
}

/// Logs why a request does not pass.
pub(super) fn refused(
    request: &HttpRequest,
    error: AuthenticateError,
    client: Option<IpAddr>,
    state: &HttpState,
) -> Refusal {
    match error {
        AuthenticateError::Refused(refusal) => refused_token(request, refusal, client, state),
        AuthenticateError::Unavailable(error) => unavailable(request, &error),
    }
}

/// Logs why the judge refuses a token.
pub(super) fn refused_token(
    request: &HttpRequest,
    refusal: TokenRefusal,
    client: Option<IpAddr>,
    state: &HttpState,
) -> Refusal {
    claim(request, refusal);
    let token = refusal.token_id().map(tracing::field::display);
    if state.refusals.is_first(client, &refusal.to_string()) {
        span_of(request)
            .in_scope(|| tracing::info!(reason = %refusal, token, "authentication refused"));
    } else {
        tracing::debug!(reason = %refusal, token, "authentication refused");
    }
    refusal.into()
}

/// Logs why there is no verdict.
pub(super) fn unavailable(request: &HttpRequest, error: &JudgeError) -> Refusal {
    span_of(request).in_scope(|| tracing::warn!(%error, "authentication was not possible"));
    Refusal::Unavailable
}

impl From<TokenRefusal> for Refusal {
    fn from(refusal: TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::Invalid { .. } => Self::InvalidToken,
            TokenRefusal::TooManyFailures { retry_after, .. } => {
                Self::TooManyFailures { retry_after }
            }
            TokenRefusal::AddressNotAllowed { .. } => Self::AddressNotAllowed,
        }
    }
}
