//! What a browser lets the playground do.

use actix_web::http::header::HeaderName;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::domain::random::{RandomError, RandomSource};

/// No page of another origin that opened this one, or was opened by it, can reach into it.
pub(super) const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");

/// A worker follows the policy of its script's response: it needs nothing from anywhere.
pub(super) const ASSET_POLICY: &str = "default-src 'none'";

/// The nonce that allows style elements in this one response.
pub(super) fn style_nonce(random: &dyn RandomSource) -> Result<String, RandomError> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    Ok(STANDARD.encode(bytes))
}

/// Only what comes from this server is loaded and run, and no page may frame this one. The editor
/// places its lines by style attributes and adds style elements, which get the nonce.
pub(super) fn page_policy(style_nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src-elem 'self' 'nonce-{style_nonce}'; \
         style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
         connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
}
