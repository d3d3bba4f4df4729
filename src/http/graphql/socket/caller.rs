//! The caller of a socket: the token of `connection_init`, judged as everywhere.

use std::sync::Arc;

use serde_json::Value;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::close::Close;
use crate::domain::principal::Origin;
use crate::http::state::{HttpState, SocketLimits};
use crate::service::{Arrival, AuthenticateError, LiveCaller};
use crate::wire::bearer::{Credentials, credentials};

/// The key of the payload, in small or capital letters, as clients name the header.
const KEY: &str = "authorization";

/// The caller, who stays from now on.
pub(super) async fn admit(
    payload: Option<Value>,
    origin: &Origin,
    state: &HttpState,
    limits: SocketLimits,
) -> Result<Arc<LiveCaller>, Close> {
    let client = origin.client_address;
    let presented = presented(payload)?;
    let admitting = async {
        let look = state.service.look(&presented, client).await?;
        let id = look.token_id();
        Ok((id, state.service.admit(look, Arrival::WithHead).await?))
    };
    let admitted = timeout(state.settings.request_timeout, admitting).await;
    let (id, admitted) = match admitted.map_err(|_| Close::TryAgainLater)? {
        Ok(admitted) => admitted,
        Err(AuthenticateError::Refused(refusal)) => {
            let token = refusal.token_id().map(tracing::field::display);
            if state.refusals.is_first(client, &refusal.to_string()) {
                tracing::info!(reason = %refusal, token, "authentication refused");
            } else {
                tracing::debug!(reason = %refusal, token, "authentication refused");
            }
            return Err(refusal.into());
        }
        Err(AuthenticateError::Unavailable(error)) => {
            tracing::warn!(%error, "authentication was not possible");
            return Err(Close::TryAgainLater);
        }
    };
    state.service.stay(id, admitted, limits.sockets).map_err(|too_many| {
        if state.refusals.is_first(client, &too_many.to_string()) {
            tracing::warn!("socket refused: {too_many}");
        }
        Close::TryAgainLater
    })
}

/// The text after `Bearer`.
fn presented(payload: Option<Value>) -> Result<Zeroizing<String>, Close> {
    let Some(Value::Object(payload)) = payload else { return Err(Close::Unauthorized) };
    let named = payload.iter().filter(|(key, _)| key.eq_ignore_ascii_case(KEY));
    let lines: Option<Vec<&str>> = named.map(|(_, value)| value.as_str()).collect();
    let lines = lines.ok_or(Close::BadMessage)?;
    match credentials(lines.iter().map(|line| line.as_bytes())) {
        Credentials::Bearer(presented) => Ok(Zeroizing::new(presented.to_owned())),
        Credentials::None | Credentials::Basic(_) | Credentials::OtherScheme => {
            Err(Close::Unauthorized)
        }
        Credentials::Malformed => Err(Close::BadMessage),
    }
}
