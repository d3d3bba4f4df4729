//! `/`: GraphiQL, served from the binary; it loads nothing from another host. `web/` is its source.

mod assets;
mod coding;
mod files;
mod policy;

use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::{HttpResponse, web};
use chrono::{SecondsFormat, TimeDelta};

use self::assets::asset;
use self::policy::{CROSS_ORIGIN_OPENER_POLICY, page_policy, style_nonce};
use super::read_only::read_only;
use super::refusal::Refusal;
use super::state::HttpState;

const PAGE: &str = include_str!("../../web/dist/index.html");
const EXAMPLE_LIFETIME: TimeDelta = TimeDelta::days(30);

/// Routes of the playground.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.service(read_only("/", page)).service(read_only("/playground/{name}", asset));
}

/// The page, with current values for the example that creates a token. It contains nothing from the
/// request.
async fn page(state: web::Data<HttpState>) -> HttpResponse {
    let service = &state.service;
    let Ok(nonce) = style_nonce(state.random.as_ref()) else {
        return Refusal::Unavailable.json();
    };
    let now = state.clock.now();
    let expiry = now + EXAMPLE_LIFETIME.min((service.latest_expiry(now) - now) / 2);
    let permission = service.catalogue().first_grantable().map(|entry| entry.enum_name.as_str());
    let page = PAGE
        .replace("{{nonce}}", &nonce)
        .replace("{{expiry}}", &expiry.to_rfc3339_opts(SecondsFormat::Secs, true))
        .replace("{{permission}}", permission.unwrap_or_default());
    HttpResponse::Ok()
        .insert_header((CONTENT_SECURITY_POLICY, page_policy(&nonce)))
        .insert_header((CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
        .content_type("text/html; charset=utf-8")
        .body(page)
}
