#![doc = include_str!("../README.md")]

use std::future::Future;
use std::net::IpAddr;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, web};

pub use tokenwright_client::{
    Builder, InvalidProxy, InvalidSettings, MAX_CACHE, Principal, Refusal, Tokenwright,
    TrustedProxies,
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What the extractor and the middleware function need. Hand it to each `App` as `web::Data`; make
/// one for all of them, because connections are kept in it.
#[derive(Debug, Clone)]
pub struct TokenwrightConfig {
    tokenwright: Tokenwright,
    proxies: TrustedProxies,
}

impl TokenwrightConfig {
    /// The address of a client is that of its connection.
    pub fn new(tokenwright: Tokenwright) -> Self {
        Self { tokenwright, proxies: TrustedProxies::default() }
    }

    /// Believes the `X-Forwarded-For` of these proxies. actix-web itself has no such setting: its
    /// `realip_remote_addr` believes everybody.
    #[must_use]
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        Self { proxies, ..self }
    }
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

impl FromRequest for Caller {
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refused>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { caller(&request).await.map_err(Refused) })
    }
}

/// Asks once per request, however many ask for the caller.
async fn caller(request: &HttpRequest) -> Result<Caller, Refusal> {
    if let Some(caller) = request.extensions().get::<Caller>() {
        return Ok(caller.clone());
    }
    // Without settings nobody passes.
    let config = request.app_data::<web::Data<TokenwrightConfig>>().ok_or(Refusal::Unavailable)?;
    let headers = request.headers();
    let lines = values(headers, AUTHORIZATION);
    let client = client_address(request, &config.proxies);
    let principal = config.tokenwright.authenticate(lines, client).await?;
    let caller = Caller(principal);
    request.extensions_mut().insert(caller.clone());
    Ok(caller)
}

fn client_address(request: &HttpRequest, proxies: &TrustedProxies) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    proxies.client_address(peer, values(request.headers(), X_FORWARDED_FOR))
}

fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    headers.get_all(name).map(|value| value.as_bytes())
}

/// What becomes of a request.
type Answered<B> = Pin<Box<dyn Future<Output = Result<ServiceResponse<B>, Error>>>>;

/// A middleware function for [`actix_web::middleware::from_fn`]: only a token with all these
/// permissions passes. Without any, every valid token does.
pub fn require<B: MessageBody + 'static>(
    permissions: impl IntoIterator<Item = impl Into<String>>,
) -> impl Fn(ServiceRequest, Next<B>) -> Answered<B> + Clone {
    let permissions: Arc<[String]> = permissions.into_iter().map(Into::into).collect();
    move |request, next| {
        let permissions = permissions.clone();
        Box::pin(async move {
            caller(request.request()).await.map_err(Refused)?.require(&*permissions)?;
            next.call(request).await
        })
    }
}

/// A refusal as an error of actix-web, which answers it.
#[derive(Debug, Clone)]
pub struct Refused(pub Refusal);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut answer = HttpResponse::build(self.status_code());
        for header in self.0.headers() {
            answer.insert_header(header);
        }
        answer.body(self.0.body())
    }
}
