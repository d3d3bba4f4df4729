//! `POST /oauth2/introspect` (RFC 7662).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde::Deserialize;

use crate::{Answer, InvalidSettings, Principal, Refusal};

/// An answer is a few hundred bytes; with many permissions and labels, some thousands.
const MAX_BODY: usize = 256 * 1024;

/// Shorter than the 5 seconds after which Tokenwright closes an idle connection.
const IDLE: Duration = Duration::from_secs(4);

pub(crate) struct Introspection {
    url: Url,
    authorization: HeaderValue,
    timeout: Duration,
    client: Client,
}

/// Why there is no answer; for the log of the service, without anything secret.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("the request failed")]
    Transport(#[from] reqwest::Error),
    #[error("Tokenwright refuses the token of this service ({0}); it needs `api.api-tokens.read`")]
    OwnToken(StatusCode),
    #[error("the status is {0}")]
    Status(StatusCode),
    #[error("the body is larger than {MAX_BODY} bytes")]
    TooLarge,
    #[error("the body is not an answer of Tokenwright")]
    Body,
}

#[derive(Deserialize)]
struct Body {
    active: bool,
    sub: Option<String>,
    client_id: Option<String>,
    username: Option<String>,
    scope: Option<String>,
    exp: Option<u64>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl Introspection {
    pub(crate) fn new(
        url: &str,
        token: &str,
        timeout: Duration,
        client: Option<Client>,
    ) -> Result<Self, InvalidSettings> {
        let is_token = |byte: u8| byte.is_ascii_graphic();
        if token.is_empty() || !token.bytes().all(is_token) {
            return Err(InvalidSettings::Token);
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| InvalidSettings::Token)?;
        authorization.set_sensitive(true);
        let client = client.map_or_else(new_client, Ok).map_err(InvalidSettings::Client)?;
        Ok(Self { url: endpoint(url)?, authorization, timeout, client })
    }

    pub(crate) async fn ask(&self, secret: &str, client: Option<IpAddr>) -> Answer {
        let asked = tokio::time::timeout(self.timeout, self.ask_twice(secret, client));
        match asked.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "Tokenwright gave no answer");
                Err(Refusal::Unavailable)
            }
            Err(_) => {
                tracing::error!("Tokenwright did not answer in time");
                Err(Refusal::Unavailable)
            }
        }
    }

    /// A kept connection may end at the moment at which it is used; the question does no harm
    /// when it is asked again.
    async fn ask_twice(&self, secret: &str, client: Option<IpAddr>) -> Result<Answer, NoAnswer> {
        match self.ask_once(secret, client).await {
            Err(NoAnswer::Transport(error)) if !error.is_connect() => {
                self.ask_once(secret, client).await
            }
            answer => answer,
        }
    }

    async fn ask_once(&self, secret: &str, client: Option<IpAddr>) -> Result<Answer, NoAnswer> {
        let address = client.map(|address| ("client_address", address.to_string()));
        let form: Vec<_> = [("token", secret.to_owned())].into_iter().chain(address).collect();
        let request = self.client.post(self.url.clone()).form(&form);
        let request = request.header(AUTHORIZATION, self.authorization.clone());
        // The error of a request names its URL, which holds no secret.
        let response = request.header(ACCEPT, "application/json").send().await?;
        match response.status() {
            StatusCode::OK => answer(&body(response).await?),
            StatusCode::TOO_MANY_REQUESTS => {
                let seconds = response.headers().get(RETRY_AFTER);
                let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok());
                Ok(Err(Refusal::TooManyFailures { retry_after: seconds.unwrap_or(1) }))
            }
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(NoAnswer::OwnToken(status))
            }
            status => Err(NoAnswer::Status(status)),
        }
    }
}

fn endpoint(url: &str) -> Result<Url, InvalidSettings> {
    let mut url = Url::parse(url).map_err(|_| InvalidSettings::Url("it is no URL"))?;
    match url.scheme() {
        "http" => {}
        "https" if cfg!(feature = "rustls") => {}
        "https" => return Err(InvalidSettings::Url("https needs the feature `rustls`")),
        _ => return Err(InvalidSettings::Url("it must begin with http:// or https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidSettings::Url("it must hold no password"));
    }
    let path = format!("{}/oauth2/introspect", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// No proxy of the environment and no redirect: both would hand secrets to somebody else.
fn new_client() -> Result<Client, reqwest::Error> {
    #[cfg(feature = "rustls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails where another thread was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    Client::builder().no_proxy().redirect(redirect::Policy::none()).pool_idle_timeout(IDLE).build()
}

async fn body(mut response: Response) -> Result<Vec<u8>, NoAnswer> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(NoAnswer::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Everything that is not plainly active is not.
fn answer(body: &[u8]) -> Result<Answer, NoAnswer> {
    let body: Body = serde_json::from_slice(body).map_err(|_| NoAnswer::Body)?;
    if !body.active {
        return Ok(Err(Refusal::InvalidToken));
    }
    let (Some(user_id), Some(token_id), Some(exp)) = (body.sub, body.client_id, body.exp) else {
        return Err(NoAnswer::Body);
    };
    let expiry = UNIX_EPOCH.checked_add(Duration::from_secs(exp)).ok_or(NoAnswer::Body)?;
    let scope = body.scope.unwrap_or_default();
    Ok(Ok(Arc::new(Principal {
        user_id,
        user_name: body.username.unwrap_or_default(),
        token_id,
        permissions: scope.split(' ').filter(|code| !code.is_empty()).map(str::to_owned).collect(),
        labels: body.labels,
        expiry,
    })))
}
