//! Settings from the environment.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use tokenwright_axum::{Builder, InvalidProxy, Tokenwright, TrustedProxies};

/// Where Tokenwright is, and who we are there.
pub fn tokenwright() -> Result<Builder, Box<dyn Error>> {
    let needed = |name: &str| variable(name).ok_or(format!("{name} is not set"));
    let builder = Tokenwright::builder(needed("TOKENWRIGHT_URL")?, needed("TOKENWRIGHT_TOKEN")?);
    Ok(match variable("CACHE_SECONDS") {
        Some(seconds) => builder.cache_for(Duration::from_secs(seconds.parse()?)),
        None => builder,
    })
}

/// Proxies in front of this API.
pub fn trusted_proxies() -> Result<TrustedProxies, InvalidProxy> {
    let proxies = variable("TRUSTED_PROXIES").unwrap_or_default();
    TrustedProxies::parse(proxies.split(',').filter(|proxy| !proxy.is_empty()))
}

/// Where this API listens.
pub fn listen() -> String {
    variable("LISTEN").unwrap_or_else(|| "127.0.0.1:3000".to_owned())
}

/// Says where it listens.
pub fn listening(address: Option<SocketAddr>) -> std::io::Result<()> {
    let address = address.map(|address| address.to_string()).unwrap_or_default();
    writeln!(std::io::stdout(), "listening on http://{address}")
}

#[expect(clippy::disallowed_methods, reason = "the settings of an example")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
