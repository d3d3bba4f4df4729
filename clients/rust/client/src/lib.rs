#![doc = include_str!("../README.md")]
//! # What is sure
//!
//! A request is let through only when Tokenwright has just said that its token is active: whatever
//! goes wrong on the way to that answer is [`Refusal::Unavailable`], which is 503. Nothing is
//! remembered, unless [`Builder::cache_for`] asks for it.

mod cache;
mod credentials;
mod flights;
mod introspection;
mod principal;
mod proxies;
mod refusal;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

pub use principal::Principal;
pub use proxies::{InvalidProxy, TrustedProxies};
pub use refusal::Refusal;

use cache::Cache;
use flights::Flights;
use introspection::Introspection;

/// The longest time for which an answer may be remembered.
pub const MAX_CACHE: Duration = Duration::from_secs(10);

/// How long an answer of Tokenwright is waited for, unless told.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);

/// What an answer depends on: the digest of the secret and the client's address.
pub(crate) type Question = ([u8; 32], Option<IpAddr>);

/// What Tokenwright answered to a question.
pub(crate) type Answer = Result<Arc<Principal>, Refusal>;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// The URL is not one of Tokenwright.
    #[error("the URL of Tokenwright is not usable: {0}")]
    Url(&'static str),
    /// The service's own secret cannot be sent.
    #[error("the token of this service is empty or has characters that no token has")]
    Token,
    /// Answers would be remembered for too long.
    #[error("answers may be remembered for 10 seconds at most")]
    Cache,
    /// The client could not be made.
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
}

/// Settings of a [`Tokenwright`].
#[derive(Clone)]
pub struct Builder {
    url: String,
    token: String,
    timeout: Duration,
    cache: Option<Duration>,
    client: Option<reqwest::Client>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Builder {
    /// How long an answer is waited for, 2 seconds unless told; then the request is refused with
    /// 503.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Remembers that a token is active, for 10 seconds at most. **For so long, a token that was
    /// deleted, disabled or narrowed goes on to work here.** Without it, every request is asked
    /// about, and a change takes effect on the next one.
    #[must_use]
    pub const fn cache_for(mut self, time: Duration) -> Self {
        self.cache = Some(time);
        self
    }

    /// The HTTP client to use, where Tokenwright is reached with certificates of its own. It must
    /// follow no redirects and use no proxy, or the secrets go there.
    #[must_use]
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Makes the client. It connects when it is first asked.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn build(self) -> Result<Tokenwright, InvalidSettings> {
        if self.cache.is_some_and(|time| time > MAX_CACHE) {
            return Err(InvalidSettings::Cache);
        }
        let introspection = Introspection::new(&self.url, &self.token, self.timeout, self.client)?;
        Ok(Tokenwright(Arc::new(Inner {
            timeout: self.timeout,
            cache: self.cache.filter(|time| !time.is_zero()).map(Cache::new),
            flights: Flights::default(),
            introspection: Arc::new(introspection),
        })))
    }
}

/// Tokenwright, as a service sees it. Cheap to clone; make one for the whole process, because
/// connections are kept in it.
#[derive(Clone)]
pub struct Tokenwright(Arc<Inner>);

struct Inner {
    timeout: Duration,
    cache: Option<Cache>,
    flights: Flights,
    introspection: Arc<Introspection>,
}

impl std::fmt::Debug for Tokenwright {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokenwright")
    }
}

impl Tokenwright {
    /// Settings: the URL of Tokenwright, such as `http://127.0.0.1:8080`, and the secret of this
    /// service's own token, which needs the permission `api.api-tokens.read`.
    pub fn builder(url: impl Into<String>, token: impl Into<String>) -> Builder {
        let (url, token) = (url.into(), token.into());
        Builder { url, token, timeout: DEFAULT_TIMEOUT, cache: None, client: None }
    }

    /// Who asks, from the values of all `Authorization` headers of a request and the address of its
    /// client; `None` when the address is unknown, and then a token that is bound to addresses does
    /// not pass.
    ///
    /// # Errors
    /// Why the request must not pass.
    pub async fn authenticate<'a>(
        &self,
        authorization: impl IntoIterator<Item = &'a [u8]>,
        client_address: Option<IpAddr>,
    ) -> Result<Arc<Principal>, Refusal> {
        let secret = credentials::bearer(authorization)?;
        let client = client_address.map(|address| address.to_canonical());
        let question = (Sha256::digest(secret.as_bytes()).into(), client);
        let inner = &self.0;
        if let Some(principal) = inner.cache.as_ref().and_then(|cache| cache.get(&question)) {
            return Ok(principal);
        }
        let asked = Instant::now();
        let ask = || {
            let (introspection, secret) = (inner.introspection.clone(), secret.to_owned());
            move || {
                let (introspection, secret) = (introspection.clone(), secret.clone());
                async move { introspection.ask(&secret, client).await }
            }
        };
        let answered = inner.flights.join(question, ask);
        let answer = match tokio::time::timeout(inner.timeout, answered).await {
            Ok(answer) => answer,
            Err(_) => {
                tracing::warn!("Tokenwright did not answer in time");
                Err(Refusal::Unavailable)
            }
        };
        if let (Some(cache), Ok(principal)) = (&inner.cache, &answer) {
            cache.put(question, asked, principal.clone());
        }
        answer
    }
}
