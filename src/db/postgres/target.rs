//! Where PostgreSQL is and how it is spoken to: the URL, with the meaning that libpq gives it.
//!
//! tokio-postgres reads most of it. Parameters that it does not know, or understands differently
//! from libpq, are taken out first.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::super::error::with_causes;
use super::tls::{Roots, TlsMode};

/// A PostgreSQL URL, read. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresTarget {
    /// One for each host, in their order.
    pub(super) hosts: Vec<Config>,
    pub(super) tls: TlsMode,
}

/// The pieces of a URL, still percent-encoded.
struct Pieces<'a> {
    /// User and password, with the `@`; may be empty.
    credentials: &'a str,
    hosts: &'a str,
    /// The name of the database with its `/`; may be empty.
    database: &'a str,
    parameters: Vec<(Cow<'a, str>, &'a str)>,
}

impl fmt::Debug for PostgresTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresTarget(..)")
    }
}

impl fmt::Display for PostgresTarget {
    /// Who connects where: no password, and no parameter, which may be one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.hosts.first();
        f.write_str("postgres://")?;
        if let Some(user) = first.and_then(Config::get_user) {
            let password = first.and_then(Config::get_password).map_or("", |_| ":(hidden)");
            write!(f, "{user}{password}@")?;
        }
        for (place, host) in self.hosts.iter().enumerate() {
            let name = match host.get_hosts().first() {
                Some(Host::Tcp(name)) => name.clone(),
                Some(Host::Unix(path)) => path.display().to_string(),
                None => host.get_hostaddrs().first().map(ToString::to_string).unwrap_or_default(),
            };
            let port = host.get_ports().first().copied().unwrap_or(5432);
            write!(f, "{}{name}:{port}", if place == 0 { "" } else { "," })?;
        }
        first.and_then(Config::get_dbname).map_or(Ok(()), |name| write!(f, "/{name}"))
    }
}

impl PostgresTarget {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it; the text does not repeat values.
    pub fn parse(url: &str) -> Result<Self, String> {
        let pieces = Pieces::of(url)?;
        let (mut mode, mut roots, mut silence) = (None, None, None);
        let (mut place, mut session) = (Vec::new(), Vec::new());
        for (name, value) in pieces.parameters {
            match &*name {
                "sslmode" => mode = Some(decoded(value)?),
                "sslrootcert" => roots = self::roots(&decoded(value)?),
                "tcp_user_timeout" => silence = Some(milliseconds(value)?),
                "host" | "port" if !pieces.hosts.is_empty() => {
                    return Err(format!(
                        "`{name}` is already given before the name of the database"
                    ));
                }
                "host" => place.extend(value.split(',').map(|host| format!("host={host}"))),
                "hostaddr" | "port" => place.push(format!("{name}={value}")),
                "keepalives_count" => session.push(format!("keepalives_retries={value}")),
                _ => session.push(format!("{name}={value}")),
            }
        }
        let place = read(&format!("{}/?{}", pieces.hosts, place.join("&")))?;
        let (credentials, database) = (pieces.credentials, pieces.database);
        let mut session = read(&format!("{credentials}{database}?{}", session.join("&")))?;
        // A socket is on this machine, and PostgreSQL speaks no TLS there, whatever the mode.
        let local = place.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        let local = local && place.get_hostaddrs().is_empty();
        let (ssl_mode, tls) = tls_mode(mode.as_deref(), roots, local)?;
        session.ssl_mode(ssl_mode);
        if let Some(silence) = silence {
            session.tcp_user_timeout(silence);
        }
        if session.get_application_name().is_none() {
            session.application_name("tokenwright");
        }
        Ok(Self { hosts: hosts(&place, &session)?, tls })
    }
}

impl<'a> Pieces<'a> {
    fn of(url: &'a str) -> Result<Self, String> {
        let (_, url) = url.split_once("://").unwrap_or(("", url));
        let (credentials, rest) = url.split_at(url.find('@').map_or(0, |at| at + 1));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        // A second `@`, or one after a `/` or `?`, may belong to a password. It is then unclear
        // where the password ends, and no part of it may be taken for a host or shown as a
        // parameter.
        let slash = credentials.find('/');
        let late = slash.is_some_and(|slash| credentials.get(slash..).unwrap_or("").contains('?'));
        if late || rest.contains('@') {
            return Err("write `@`, `/` and `?` as %40, %2F and %3F in names, passwords and \
                        parameters"
                .to_owned());
        }
        let (hosts, database) = place.split_at(place.find('/').unwrap_or(place.len()));
        let parameter = |pair: &'a str| {
            let (name, value) = pair.split_once('=').ok_or("a parameter has no `=`")?;
            Ok((decoded(name)?, value))
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let parameters = pairs.map(parameter).collect::<Result<_, String>>()?;
        Ok(Self { credentials, hosts, database, parameters })
    }
}

fn decoded(text: &str) -> Result<Cow<'_, str>, String> {
    percent_decode_str(text).decode_utf8().map_err(|_| "it is not UTF-8".to_owned())
}

fn read(rest: &str) -> Result<Config, String> {
    format!("postgres://{rest}").parse().map_err(|error: tokio_postgres::Error| with_causes(&error))
}

/// The same session on each host.
fn hosts(place: &Config, session: &Config) -> Result<Vec<Config>, String> {
    let (names, addresses) = (place.get_hosts(), place.get_hostaddrs());
    let ports = place.get_ports();
    let count = names.len().max(addresses.len());
    let fits = |given: usize| given == 0 || given == count;
    if count == 0 {
        return Err("it names no host".to_owned());
    }
    if !fits(names.len()) || !fits(addresses.len()) || !(fits(ports.len()) || ports.len() == 1) {
        return Err("hosts, `hostaddr` and `port` differ in number".to_owned());
    }
    let host = |index: usize| {
        let mut config = session.clone();
        match names.get(index) {
            Some(Host::Tcp(name)) => config.host(name),
            Some(Host::Unix(path)) => config.host_path(path),
            None => &mut config,
        };
        if let Some(address) = addresses.get(index) {
            config.hostaddr(*address);
        }
        if let Some(port) = ports.get(index).or(ports.first()) {
            config.port(*port);
        }
        config
    };
    Ok((0..count).map(host).collect())
}

/// What `tcp_user_timeout` counts; tokio-postgres takes it for seconds.
fn milliseconds(value: &str) -> Result<Duration, String> {
    let milliseconds = value.parse().map_err(|_| "invalid value for `tcp_user_timeout`")?;
    Ok(Duration::from_millis(milliseconds))
}

fn roots(value: &str) -> Option<Roots> {
    match value {
        "" => None,
        "system" => Some(Roots::System),
        path => Some(Roots::File(PathBuf::from(path))),
    }
}

fn tls_mode(
    mode: Option<&str>,
    roots: Option<Roots>,
    local: bool,
) -> Result<(SslMode, TlsMode), String> {
    // The system's roots vouch for anybody's server, so libpq takes no less than the name with
    // them.
    let by_default = if roots == Some(Roots::System) { "verify-full" } else { "prefer" };
    let mode = mode.unwrap_or(by_default);
    let (ssl, tls) = match (mode, roots) {
        ("disable" | "prefer" | "require" | "verify-ca", Some(Roots::System)) => {
            return Err("`sslrootcert=system` needs `sslmode=verify-full`".to_owned());
        }
        ("disable", _) => (SslMode::Disable, TlsMode::Unverified),
        // libpq does verify here where it has roots, and then goes on without TLS where that fails.
        ("prefer", _) => (SslMode::Prefer, TlsMode::Unverified),
        // libpq verifies here too when it has roots.
        ("require", Some(roots)) => (SslMode::Require, TlsMode::Chain(roots)),
        ("require", None) => (SslMode::Require, TlsMode::ChainIfKnown),
        ("verify-ca", roots) => (SslMode::Require, TlsMode::Chain(roots.unwrap_or(Roots::Default))),
        ("verify-full", roots) => {
            (SslMode::Require, TlsMode::ChainAndName(roots.unwrap_or(Roots::Default)))
        }
        _ => {
            let known = "`sslmode` must be disable, prefer, require, verify-ca or verify-full";
            return Err(known.to_owned());
        }
    };
    Ok(if local { (SslMode::Disable, TlsMode::Unverified) } else { (ssl, tls) })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(query: &str) -> Result<(SslMode, TlsMode), String> {
        let url = format!("postgres://u:hidden@db1:5432,db2:5433/name{query}");
        let target = PostgresTarget::parse(&url)?;
        Ok((target.hosts[0].get_ssl_mode(), target.tls))
    }

    fn one(url: &str) -> Config {
        let target = PostgresTarget::parse(url).unwrap();
        assert_eq!(target.hosts.len(), 1);
        target.hosts[0].clone()
    }

    #[test]
    fn has_the_meaning_of_libpq() {
        let file = || Roots::File("/etc/my roots.pem".into());
        let given = "sslrootcert=/etc/my%20roots.pem";
        let unverified = |mode| Ok((mode, TlsMode::Unverified));
        assert_eq!(read(""), unverified(SslMode::Prefer));
        assert_eq!(read("?sslmode=disable"), unverified(SslMode::Disable));
        assert_eq!(read("?sslmode=prefer"), unverified(SslMode::Prefer));
        assert_eq!(read("?sslmode=require"), Ok((SslMode::Require, TlsMode::ChainIfKnown)));
        let chain = Ok((SslMode::Require, TlsMode::Chain(file())));
        assert_eq!(read(&format!("?sslmode=require&{given}")), chain);
        assert_eq!(read(&format!("?{given}&sslmode=verify-ca")), chain);
        assert_eq!(read(&format!("?{given}&ssl%6dode=verify%2Dca")), chain);
        let full = |roots| Ok((SslMode::Require, TlsMode::ChainAndName(roots)));
        assert_eq!(read(&format!("?sslmode=verify-full&{given}")), full(file()));
        assert_eq!(read("?sslmode=verify-full"), full(Roots::Default));
        assert_eq!(read("?sslmode=verify-full&sslrootcert="), full(Roots::Default));
        assert_eq!(read("?sslrootcert=system"), full(Roots::System));
        assert!(read("?sslrootcert=system&sslmode=require").is_err());
        assert!(read("?sslmode=always").is_err());
    }

    #[test]
    fn a_socket_needs_no_tls() {
        for url in ["postgres://u@%2Frun%2Fpg/n", "postgres:///n?host=/run/pg"] {
            let config = one(&format!(
                "{url}{}sslmode=verify-full",
                if url.contains('?') { "&" } else { "?" }
            ));
            assert_eq!(config.get_ssl_mode(), SslMode::Disable);
            assert_eq!(config.get_hosts(), [Host::Unix(Path::new("/run/pg").into())]);
        }
    }

    #[test]
    fn hands_the_rest_on() {
        let config =
            one("postgres://u:p%40%2F@a:5433/n?target_session_attrs=read-write&connect_timeout=3\
             &tcp_user_timeout=1500&keepalives_count=7&options=-csearch_path%3Ds");
        assert_eq!(config.get_user(), Some("u"));
        assert_eq!(config.get_password(), Some(&b"p@/"[..]));
        assert_eq!(config.get_dbname(), Some("n"));
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_millis(1500)));
        assert_eq!(config.get_keepalives_retries(), Some(7));
        assert_eq!(config.get_options(), Some("-csearch_path=s"));
        assert_eq!(config.get_application_name(), Some("tokenwright"));
    }

    #[test]
    fn reads_hosts_in_every_form() {
        for (url, expected) in [
            ("postgres://a,b:5433/n", &["a 5432", "b 5433"][..]),
            ("postgres:///n?host=a,b&port=5433", &["a 5433", "b 5433"]),
            ("postgres:///n?host=a,b&port=5433,5434", &["a 5433", "b 5434"]),
            ("postgres://[::1]:5433/n", &["::1 5433"]),
        ] {
            let target = PostgresTarget::parse(url).unwrap();
            let described = |config: &Config| match &config.get_hosts()[0] {
                Host::Tcp(name) => format!("{name} {}", config.get_ports()[0]),
                Host::Unix(path) => path.display().to_string(),
            };
            assert_eq!(target.hosts.iter().map(described).collect::<Vec<_>>(), expected, "{url}");
        }
        let named = one("postgres://a/n?hostaddr=192.0.2.1");
        assert_eq!(named.get_hostaddrs(), [std::net::Ipv4Addr::new(192, 0, 2, 1)]);
        assert_eq!(one("postgres:///n?hostaddr=192.0.2.1").get_hosts(), []);
        for url in [
            "postgres:///n",
            "postgres://u@/n",
            "postgres://a,b/n?hostaddr=192.0.2.1",
            "postgres:///n?host=a,b,c&port=1,2",
            "postgres://a/n?host=b",
            "postgres://a/n?port=5433",
        ] {
            assert!(PostgresTarget::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn takes_no_piece_of_a_password_for_something_else() {
        for password in ["hid?den", "hid/den", "hid?den=1"] {
            let config = one(&format!("postgres://u:{password}@a/n"));
            assert_eq!(config.get_password(), Some(password.as_bytes()));
            assert_eq!(config.get_hosts(), [Host::Tcp("a".to_owned())]);
        }
        for password in ["hid@den", "1/hid?den=1", "1@hid/den", "1@hid?den", "hid@den?hid=den"] {
            let refusal = PostgresTarget::parse(&format!("postgres://u:{password}@a/n"));
            let refusal = refusal.unwrap_err();
            assert!(refusal.contains("%40"), "{refusal}");
            assert!(!refusal.contains("hid") && !refusal.contains("den"), "{refusal}");
        }
    }

    #[test]
    fn refusals_and_debug_hold_no_password() {
        let target = PostgresTarget::parse("postgres://u:hidden@a/n").unwrap();
        assert!(!format!("{target:?}").contains("hidden"));
        for query in
            ["?sslmode=x", "?nonsense=1", "?connect_timeout=hidden", "?hidden", "?port=hidden"]
        {
            assert!(!read(query).unwrap_err().contains("hidden"), "{query}");
        }
    }
}
