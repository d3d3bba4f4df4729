//! From the headers of a request to its principal. Credentials are taken from the `Authorization`
//! header alone: never from the query string, where they would end up in logs.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

use super::refusal::Refusal;
use super::request::request_log::RequestInfo;
use super::state::HttpState;
use crate::domain::principal::Principal;
use crate::service::AuthenticateError;
use crate::wire::bearer::{Credentials, credentials};

/// Who sent the request; `None` when it carries no credentials at all.
pub(super) async fn principal(
    request: &HttpRequest,
    info: &RequestInfo,
    state: &HttpState,
) -> Result<Option<Principal>, Refusal> {
    let lines = request.headers().get_all(AUTHORIZATION).map(|value| value.as_bytes());
    let presented = match credentials(lines) {
        Credentials::None => return Ok(None),
        Credentials::OtherScheme => return Err(Refusal::NoCredentials),
        Credentials::Malformed => return Err(Refusal::MalformedCredentials),
        Credentials::Bearer(presented) => presented,
    };
    let judged = state.service.authenticate(presented, info.client_address).await;
    judged.map(Some).map_err(|error| {
        if let AuthenticateError::Busy(_) | AuthenticateError::Db(_) = error {
            tracing::warn!(%error, "authentication was not possible");
        } else {
            tracing::info!(reason = %error, "authentication refused");
        }
        match error {
            AuthenticateError::InvalidToken(_) => Refusal::InvalidToken,
            AuthenticateError::AddressNotAllowed => Refusal::AddressNotAllowed,
            // Whatever the reason, no answer means no.
            AuthenticateError::Busy(_) | AuthenticateError::Db(_) => Refusal::Unavailable,
        }
    })
}
