#![doc = include_str!("../README.md")]

mod layer;

use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

pub use layer::{RequireLayer, RequireService};
pub use tokenwright_client::{
    Builder, InvalidProxy, InvalidSettings, MAX_CACHE, Principal, Refusal, Tokenwright,
    TrustedProxies,
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What the extractor and the layer need: the state of the router, or a part of it by `FromRef`.
/// Make one for the whole process, because connections are kept in it.
#[derive(Debug, Clone)]
pub struct TokenwrightState {
    tokenwright: Tokenwright,
    proxies: Arc<TrustedProxies>,
}

impl TokenwrightState {
    /// The address of a client is that of its connection, as
    /// `into_make_service_with_connect_info::<SocketAddr>()` makes it known. Without that it is
    /// unknown, and a token that is bound to addresses does not pass.
    pub fn new(tokenwright: Tokenwright) -> Self {
        Self { tokenwright, proxies: Arc::default() }
    }

    /// Believes the `X-Forwarded-For` of these proxies. axum itself has no such setting.
    #[must_use]
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        Self { proxies: Arc::new(proxies), ..self }
    }

    /// A layer that lets only a token with all these permissions pass. Without any, every valid
    /// token does.
    pub fn require(
        &self,
        permissions: impl IntoIterator<Item = impl Into<String>>,
    ) -> RequireLayer {
        RequireLayer::new(self.clone(), permissions.into_iter().map(Into::into).collect())
    }

    /// Asks once per request, however many ask for the caller.
    async fn caller(&self, parts: &mut Parts) -> Result<Caller, Refusal> {
        if let Some(caller) = parts.extensions.get::<Caller>() {
            return Ok(caller.clone());
        }
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let client = self.client_address(peer.map(|peer| peer.0.ip()), &parts.headers);
        let lines = values(&parts.headers, AUTHORIZATION);
        let caller = Caller(self.tokenwright.authenticate(lines, client).await?);
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }

    fn client_address(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        self.proxies.client_address(peer, values(headers, X_FORWARDED_FOR))
    }
}

fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    headers.get_all(name).into_iter().map(HeaderValue::as_bytes)
}

/// Who asks. As an argument of a handler it lets only valid tokens pass.
#[derive(Debug, Clone)]
pub struct Caller(Arc<Principal>);

impl Caller {
    /// Requires all these permissions.
    ///
    /// # Errors
    /// When the token lacks one: an answer with 403.
    pub fn require(
        &self,
        permissions: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), Refused> {
        self.0.require(permissions).map_err(Refused)
    }
}

impl Deref for Caller {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl<S> FromRequestParts<S> for Caller
where
    TokenwrightState: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        TokenwrightState::from_ref(state).caller(parts).await.map_err(Refused)
    }
}

/// A refusal as a response of axum.
#[derive(Debug, Clone)]
pub struct Refused(pub Refusal);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.0.body()));
        *response.status_mut() =
            StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        for (name, value) in self.0.headers() {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
