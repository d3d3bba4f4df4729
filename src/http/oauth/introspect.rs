//! `POST /oauth2/introspect` (RFC 7662): a service asks about a token that it was shown.

use std::net::IpAddr;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::form::Form;
use super::refusal::OauthRefusal;
use crate::domain::verdict::{TokenRefusal, Usable};
use crate::domain::verification::{Decision, Demand, Denial};
use crate::http::caller::{Caller, refused, unavailable};
use crate::http::refusal::{JSON, Refusal};
use crate::http::request::request_log::span_of;
use crate::http::state::HttpState;
use crate::service::{Admitted, AuthenticateError, NotCurrent, VerifyError};
use crate::surface::log_denial;

pub(super) async fn introspect(
    request: HttpRequest,
    body: web::Payload,
    state: web::Data<HttpState>,
) -> HttpResponse {
    match answer(&request, body, &state).await {
        Ok(answer) => HttpResponse::Ok().content_type(JSON).body(answer.to_string()),
        Err(refusal) => refusal.response(),
    }
}

/// The caller comes first, so that no body is read for a refused one.
async fn answer(
    request: &HttpRequest,
    body: web::Payload,
    state: &HttpState,
) -> Result<Value, OauthRefusal> {
    let caller = Caller::with_basic(request).await?;
    if caller.is_anonymous() {
        return Err(Refusal::NoCredentials.into());
    }
    let (form, arrival) = Form::read(request, body, state, caller.token_id()).await?;
    let (caller, origin) = caller.admit(request, arrival, state).await?;
    let caller = caller.ok_or(Refusal::NoCredentials)?;
    let presented = form.token()?;
    let demand = demand(&form, state)?;
    let deciding = decide(request, &caller, presented, &demand, state);
    let decided = timeout(state.settings.request_timeout, deciding).await;
    let decision = decided.map_err(|_| Refusal::Unavailable)??;
    // What was read for a caller that was revoked meanwhile is not given out.
    match state.service.ensure_current(&caller).await {
        Ok(()) => {}
        Err(NotCurrent::Changed(_)) => return Err(Refusal::InvalidToken.into()),
        Err(NotCurrent::Refused(refusal)) => {
            let error = AuthenticateError::Refused(refusal);
            return Err(refused(request, error, origin.client_address, state).into());
        }
        Err(NotCurrent::Unavailable(error)) => {
            return Err(unavailable(request, &error.into()).into());
        }
    }
    match decision {
        Decision::Allowed(usable) => Ok(active(&usable, state)),
        Decision::Denied(denial) => {
            log_denial(&denial, demand.client(), &state.refusals, || span_of(request));
            inactive(&denial)
        }
    }
}

/// Without a client address, a token with allowed addresses is not active.
fn demand(form: &Form, state: &HttpState) -> Result<Demand, OauthRefusal> {
    let client = form.get("client_address").map(str::parse::<IpAddr>);
    let client = client.transpose().map_err(|_| OauthRefusal::ClientAddress)?;
    let scope = form.get("required_scope").unwrap_or_default();
    let codes = scope.split(' ').filter(|code| !code.is_empty());
    let demand = Demand::new(state.service.catalogue(), codes, client);
    if demand.permissions().is_err() { Err(OauthRefusal::Scope) } else { Ok(demand) }
}

async fn decide(
    request: &HttpRequest,
    caller: &Admitted,
    presented: &str,
    demand: &Demand,
    state: &HttpState,
) -> Result<Decision, OauthRefusal> {
    let decided = state.service.verify_for(caller.principal(), presented, demand).await;
    decided.map_err(|error| match error {
        VerifyError::Forbidden(missing) => missing.into(),
        VerifyError::Unavailable(error) => unavailable(request, &error).into(),
    })
}

fn active(usable: &Usable, state: &HttpState) -> Value {
    let token = &usable.token;
    let identity = state.service.identity(token);
    let labels = identity.labels.iter().map(|(key, value)| ((*key).to_owned(), json!(value)));
    let mut answer = json!({
        "active": true,
        "scope": identity.permissions.join(" "),
        "client_id": identity.token_id,
        "username": identity.user_name,
        "token_type": "Bearer",
        // Whole seconds, and never later than it is.
        "exp": usable.expiry().timestamp(),
        "iat": token.creation_date.timestamp(),
        "sub": identity.user_id,
        "description": token.description,
        "labels": Value::Object(labels.collect()),
    });
    if let (Some(public_url), Some(fields)) = (&state.settings.public_url, answer.as_object_mut()) {
        fields.insert("iss".to_owned(), json!(public_url.as_str()));
    }
    answer
}

/// One answer for every reason, except that there were too many failures to say.
fn inactive(denial: &Denial) -> Result<Value, OauthRefusal> {
    match denial {
        Denial::Token(TokenRefusal::TooManyFailures { retry_after, .. }) => {
            Err(Refusal::TooManyFailures { retry_after: *retry_after }.into())
        }
        _ => Ok(json!({ "active": false })),
    }
}
