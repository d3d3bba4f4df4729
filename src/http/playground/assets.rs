//! The files of the playground, as `web/dist` has them.

use std::borrow::Cow;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETag, EntityTag, Header, IfNoneMatch,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::policy::ASSET_POLICY;
use crate::http::refusal::Refusal;

/// The names contain a hash of the content, so what a browser keeps never becomes stale.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// The licences have no hash in their names.
const ASK_AGAIN: &str = "no-cache";
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

#[derive(RustEmbed)]
#[folder = "web/dist/playground/"]
struct Assets;

/// One file, looked up by its whole name among those that are embedded.
pub(super) async fn asset(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some(EmbeddedFile { data, metadata }) = Assets::get(&name) else {
        return Refusal::NotFound.json();
    };
    let tag = EntityTag::new_strong(URL_SAFE_NO_PAD.encode(metadata.sha256_hash()));
    let known = match IfNoneMatch::parse(&request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|other| other.weak_eq(&tag)),
        Err(_) => false,
    };
    let content_type = content_type(&name);
    let cache = if content_type == PLAIN_TEXT { ASK_AGAIN } else { FOREVER };
    let mut builder = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    builder
        .insert_header((CACHE_CONTROL, cache))
        .insert_header((CONTENT_SECURITY_POLICY, ASSET_POLICY))
        .insert_header(ETag(tag));
    if known {
        return builder.finish();
    }
    builder.content_type(content_type).body(match data {
        Cow::Borrowed(embedded) => Bytes::from_static(embedded),
        Cow::Owned(read) => Bytes::from(read),
    })
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
