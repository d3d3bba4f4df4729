//! `/.well-known/oauth-authorization-server` (RFC 8414). Without `public-url` there is none: the
//! server does not know under which name clients reach it.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::http::public_url::PublicUrl;
use crate::http::read_only::read_only;
use crate::http::refusal::{JSON, Refusal};
use crate::http::request::path::{INTROSPECT, METADATA, REVOKE};
use crate::http::state::HttpState;

/// Where the issuer has a path, clients look for the metadata with that path behind (RFC 8414
/// section 3.1). A proxy may hand on either.
pub(super) fn configure(config: &mut web::ServiceConfig, public_url: Option<&PublicUrl>) {
    config.service(read_only(METADATA, metadata));
    if let Some(path) = public_url.map(PublicUrl::path).filter(|path| !path.is_empty()) {
        config.service(read_only(&format!("{METADATA}{path}"), metadata));
    }
}

async fn metadata(state: web::Data<HttpState>) -> HttpResponse {
    let Some(public_url) = &state.settings.public_url else { return Refusal::NotFound.json() };
    let metadata = json!({
        "issuer": public_url.as_str(),
        "introspection_endpoint": public_url.join(INTROSPECT),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "Bearer"],
        "revocation_endpoint": public_url.join(REVOKE),
        "revocation_endpoint_auth_methods_supported": ["none"],
        // Required. Tokens are created by GraphQL, not by a grant.
        "response_types_supported": [],
        "grant_types_supported": [],
    });
    HttpResponse::Ok().content_type(JSON).body(metadata.to_string())
}
