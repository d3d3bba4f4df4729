//! A resource that is only read.

use actix_web::{FromRequest, Handler, Resource, Responder, guard, web};

use super::refusal::Refusal;

/// Answers GET and HEAD, which load balancers use for probes, and refuses every other method with
/// the list of allowed ones (RFC 9110, section 15.5.6).
pub(super) fn read_only<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let read = web::route().guard(guard::Any(guard::Get()).or(guard::Head()));
    web::resource(path)
        .route(read.to(handler))
        .default_service(web::to(async || Refusal::MethodNotAllowed { allow: "GET, HEAD" }.json()))
}
