//! `/livez` and `/readyz`, for orchestrators and load balancers.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use tokio::time::timeout;

use super::read_only::read_only;
use super::refusal::Refusal;
use super::request::path::{LIVEZ, READYZ};
use super::state::HttpState;

/// Longest wait for the database.
const LIMIT: Duration = Duration::from_secs(2);

/// Routes of this endpoint.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.service(read_only(LIVEZ, livez)).service(read_only(READYZ, readyz));
}

async fn livez() -> HttpResponse {
    ok()
}

async fn readyz(state: web::Data<HttpState>) -> HttpResponse {
    if state.leaving.is_cancelled() {
        return Refusal::Unavailable.json();
    }
    match timeout(LIMIT, state.service.ready()).await {
        Ok(Ok(())) => ok(),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            Refusal::Unavailable.json()
        }
        Err(_) => {
            tracing::warn!("not ready: the database did not answer in time");
            Refusal::Unavailable.json()
        }
    }
}

fn ok() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}
