//! The endpoints of OAuth 2.0 that a token authority without grants has: introspection (RFC 7662),
//! revocation (RFC 7009), and the metadata that names them (RFC 8414).

mod form;
mod introspect;
mod metadata;
mod refusal;
mod revoke;

use actix_web::{Handler, HttpResponse, Resource, web};

use self::refusal::OauthRefusal;
use super::public_url::PublicUrl;
use super::refusal::Refusal;
use super::request::path::{INTROSPECT, REVOKE};

/// Routes of these endpoints.
pub(super) fn configure(config: &mut web::ServiceConfig, public_url: Option<&PublicUrl>) {
    config
        .service(only_post(INTROSPECT, introspect::introspect))
        .service(only_post(REVOKE, revoke::revoke));
    metadata::configure(config, public_url);
}

fn only_post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args, Output = HttpResponse>,
    Args: actix_web::FromRequest + 'static,
{
    let other = async || OauthRefusal::from(Refusal::MethodNotAllowed { allow: "POST" }).response();
    web::resource(path).route(web::post().to(handler)).default_service(web::to(other))
}
