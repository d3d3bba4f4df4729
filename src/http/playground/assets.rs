//! The files of the playground over HTTP.

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETag, EntityTag,
    Header, IfNoneMatch, VARY,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

use super::coding::coding;
use super::files::file;
use super::policy::ASSET_POLICY;
use crate::http::refusal::Refusal;

/// The names contain a hash of the content, so what a browser keeps never becomes stale.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// The licences have no hash in their names.
const ASK_AGAIN: &str = "no-cache";
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

/// One file, looked up by its whole name among those that are embedded.
pub(super) async fn asset(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some(file) = file(&name) else {
        return Refusal::NotFound.json();
    };
    let Some(coding) = coding(&request) else {
        return varying(Refusal::CodingNotAcceptable.json());
    };
    let tag = EntityTag::new_strong(file.tag(coding));
    let known = match IfNoneMatch::parse(&request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|other| other.weak_eq(&tag)),
        Err(_) => false,
    };
    let content_type = content_type(&name);
    let cache = if content_type == PLAIN_TEXT { ASK_AGAIN } else { FOREVER };
    let head = |mut builder: HttpResponseBuilder| {
        builder
            .insert_header((CACHE_CONTROL, cache))
            .insert_header((CONTENT_SECURITY_POLICY, ASSET_POLICY))
            .insert_header(ETag(tag));
        builder
    };
    if known {
        return varying(head(HttpResponse::NotModified()).finish());
    }
    let Ok(content) = file.content(coding) else {
        return Refusal::Unavailable.json();
    };
    let mut builder = head(HttpResponse::Ok());
    if let Some(name) = coding.name() {
        builder.insert_header((CONTENT_ENCODING, name));
    }
    varying(builder.content_type(content_type).body(content))
}

/// Caches on the way keep an answer for those only who ask for the same codings.
fn varying(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(VARY, ACCEPT_ENCODING.into());
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("ttf") => "font/ttf",
        Some("md" | "txt") => PLAIN_TEXT,
        _ => "application/octet-stream",
    }
}
