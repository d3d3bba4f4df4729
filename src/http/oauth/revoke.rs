//! `POST /oauth2/revoke` (RFC 7009): whoever holds a token ends it, with nothing but the token.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};

use super::form::Form;
use super::refusal::OauthRefusal;
use crate::domain::principal::Origin;
use crate::http::refusal::Refusal;
use crate::http::request::request_log::RequestInfo;
use crate::http::state::HttpState;
use crate::service::RevokeError;

pub(super) async fn revoke(
    request: HttpRequest,
    body: web::Payload,
    state: web::Data<HttpState>,
) -> HttpResponse {
    match answer(&request, body, &state).await {
        Ok(()) => HttpResponse::Ok().finish(),
        Err(refusal) => refusal.response(),
    }
}

/// Credentials in the header say nothing here, and are not looked at.
async fn answer(
    request: &HttpRequest,
    body: web::Payload,
    state: &HttpState,
) -> Result<(), OauthRefusal> {
    let info = request.extensions().get::<RequestInfo>().cloned();
    let RequestInfo { id: request_id, client_address, .. } = info.ok_or(Refusal::Unavailable)?;
    let origin = Origin { client_address, request_id };
    let (form, _) = Form::read(request, body, state, None).await?;
    let revoked = state.service.revoke_api_token(form.token()?, &origin).await;
    // An unknown token is what the client wanted: one that cannot be used (RFC 7009 section 2.2).
    revoked.map(drop).map_err(|error| match error {
        RevokeError::TooManyFailures { retry_after } => {
            Refusal::TooManyFailures { retry_after }.into()
        }
        RevokeError::Failed(failure) => {
            tracing::warn!(error = %failure, "a token was not revoked");
            Refusal::Unavailable.into()
        }
    })
}
