//! Where PostgreSQL is and how it is spoken to: the URL, with the meaning that libpq gives it.
//!
//! tokio-postgres knows `disable`, `prefer` and `require`, and no root certificates: what libpq knows
//! beyond that is taken out of the URL first.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::super::error::with_causes;

/// A PostgreSQL URL, read. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresTarget {
    pub(super) config: Config,
    pub(super) tls: TlsMode,
}

/// What a server must prove (libpq, section "SSL Support").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// Nothing: `disable`, and `prefer` and `require` without root certificates.
    Unverified,
    /// That one of the roots vouches for it: `verify-ca`.
    Chain(Roots),
    /// And that it has the name that was asked for: `verify-full`.
    ChainAndName(Roots),
}

/// Which root certificates count: `sslrootcert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    File(PathBuf),
    /// Those of the operating system.
    System,
}

impl fmt::Debug for PostgresTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresTarget(..)")
    }
}

impl PostgresTarget {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it; the text does not repeat values.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots) = (None, None);
        let mut others = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(self::roots(value)?),
                _ => others.push(pair),
            }
        }
        let plain = format!("{base}?{}", others.join("&"));
        let mut config: Config = plain.parse().map_err(|error| with_causes(&error))?;
        let (ssl_mode, tls) = tls_mode(mode, roots)?;
        config.ssl_mode(ssl_mode);
        if config.get_application_name().is_none() {
            config.application_name("tokenwright");
        }
        Ok(Self { config, tls })
    }
}

fn tls_mode(mode: Option<&str>, roots: Option<Roots>) -> Result<(SslMode, TlsMode), String> {
    // The system's roots vouch for anybody's server, so libpq takes no less than the name with them.
    let by_default = if roots == Some(Roots::System) { "verify-full" } else { "prefer" };
    let mode = mode.unwrap_or(by_default);
    match (mode, roots) {
        ("disable" | "prefer" | "require" | "verify-ca", Some(Roots::System)) => {
            Err("`sslrootcert=system` needs `sslmode=verify-full`".to_owned())
        }
        ("disable", _) => Ok((SslMode::Disable, TlsMode::Unverified)),
        ("prefer", _) => Ok((SslMode::Prefer, TlsMode::Unverified)),
        // libpq verifies here too when it has root certificates.
        ("require", Some(roots)) => Ok((SslMode::Require, TlsMode::Chain(roots))),
        ("require", None) => Ok((SslMode::Require, TlsMode::Unverified)),
        ("verify-ca", roots) => Ok((SslMode::Require, TlsMode::Chain(roots_or_default(roots)?))),
        ("verify-full", roots) => {
            Ok((SslMode::Require, TlsMode::ChainAndName(roots_or_default(roots)?)))
        }
        _ => Err("`sslmode` must be disable, prefer, require, verify-ca or verify-full".to_owned()),
    }
}

fn roots(value: &str) -> Result<Roots, String> {
    let path = percent_decode_str(value).decode_utf8();
    let path = path.map_err(|_| "`sslrootcert` is not UTF-8".to_owned())?;
    Ok(if path == "system" { Roots::System } else { Roots::File(PathBuf::from(path.as_ref())) })
}

/// Where libpq looks when `sslrootcert` is left out.
fn roots_or_default(roots: Option<Roots>) -> Result<Roots, String> {
    let default = || std::env::home_dir().map(|home| home.join(".postgresql/root.crt"));
    let missing = "`sslmode=verify-ca` and `verify-full` need `sslrootcert`: a file of root \
                   certificates (PEM), or `system` with `verify-full`";
    roots.or_else(|| default().map(Roots::File)).ok_or_else(|| missing.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<(SslMode, TlsMode), String> {
        let url = format!("postgres://u:hidden@db1:5432,db2:5433/name{query}");
        let target = PostgresTarget::parse(&url)?;
        Ok((target.config.get_ssl_mode(), target.tls))
    }

    #[test]
    fn has_the_meaning_of_libpq() {
        let file = || Roots::File("/etc/my roots.pem".into());
        let given = "sslrootcert=/etc/my%20roots.pem";
        let unverified = |mode| Ok((mode, TlsMode::Unverified));
        assert_eq!(read(""), unverified(SslMode::Prefer));
        assert_eq!(read("?sslmode=disable"), unverified(SslMode::Disable));
        assert_eq!(read("?sslmode=prefer"), unverified(SslMode::Prefer));
        assert_eq!(read("?sslmode=require"), unverified(SslMode::Require));
        let chain = Ok((SslMode::Require, TlsMode::Chain(file())));
        assert_eq!(read(&format!("?sslmode=require&{given}")), chain);
        assert_eq!(read(&format!("?{given}&sslmode=verify-ca")), chain);
        let full = Ok((SslMode::Require, TlsMode::ChainAndName(file())));
        assert_eq!(read(&format!("?sslmode=verify-full&{given}")), full);
        let system = Ok((SslMode::Require, TlsMode::ChainAndName(Roots::System)));
        assert_eq!(read("?sslrootcert=system"), system);
        assert!(read("?sslrootcert=system&sslmode=require").is_err());
        assert!(read("?sslmode=always").is_err());
    }

    #[test]
    fn hands_the_rest_on() {
        let url =
            "postgres://u@a,b/n?target_session_attrs=read-write&sslmode=disable&connect_timeout=3";
        let config = PostgresTarget::parse(url).unwrap().config;
        assert_eq!(config.get_hosts().len(), 2);
        assert_eq!(config.get_connect_timeout(), Some(&std::time::Duration::from_secs(3)));
        assert_eq!(config.get_application_name(), Some("tokenwright"));
        assert!(PostgresTarget::parse("postgres://u@a/n?nonsense=1").is_err());
    }

    #[test]
    fn refusals_and_debug_hold_no_password() {
        let target = PostgresTarget::parse("postgres://u:hidden@a/n").unwrap();
        assert!(!format!("{target:?}").contains("hidden"));
        for query in ["?sslmode=x", "?nonsense=1", "?connect_timeout=hidden"] {
            assert!(!read(query).unwrap_err().contains("hidden"), "{query}");
        }
    }
}
