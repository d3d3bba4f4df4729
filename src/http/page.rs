//! `/`: a page that says how to ask, with lines that work as they stand. It loads nothing from
//! elsewhere and runs nothing.

use actix_web::http::header::{CONTENT_SECURITY_POLICY, HOST};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;

use super::readable::readable;
use super::state::HttpState;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
const EXAMPLE_LIFETIME: TimeDelta = TimeDelta::days(30);

/// Routes of the page.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.service(readable("/", page)).service(readable("/page.css", style));
}

async fn page(request: HttpRequest, state: web::Data<HttpState>) -> HttpResponse {
    let service = &state.service;
    let expiry = service.clock().now() + EXAMPLE_LIFETIME.min(service.max_lifetime() / 2);
    let permission = service.catalogue().first_grantable().map(|entry| entry.enum_name.as_str());
    // Anybody may claim the scheme; it changes only the page that they see themselves.
    let scheme = if request.connection_info().scheme() == "https" { "https" } else { "http" };
    let page = PAGE
        .replace("{{origin}}", &format!("{scheme}://{}", host(&request)))
        .replace("{{expiry}}", &expiry.format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .replace("{{permission}}", permission.unwrap_or_default());
    HttpResponse::Ok()
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .content_type("text/html; charset=utf-8")
        .body(page)
}

async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(STYLE)
}

/// The host that the browser asked, if it can stand in a page.
fn host(request: &HttpRequest) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte);
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    host.filter(|host| host.bytes().all(plain)).unwrap_or("127.0.0.1:8080")
}
