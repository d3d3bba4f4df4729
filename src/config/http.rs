//! Where the server listens, whom it believes, and what it shows.

use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use super::listen::ListenAddress;
use super::origins::OriginList;
use super::proxies::ProxyList;
use super::value::{boolean, delay, timeout};
use crate::graphql::Introspection;
use crate::http::{AllowedOrigins, HttpSettings, PublicUrl, WebOrigin};
use crate::surface::ConnectionLimits;
use crate::wire::forwarded::{ForwardedHeader, TrustedProxies};

/// Settings of the HTTP side.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// Where to listen; port 0 takes a free one.
    #[arg(
        long,
        env = "TOKENWRIGHT_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: ListenAddress,

    /// Peers whose forwarding header is believed: addresses and CIDR networks, separated by commas.
    /// None unless set.
    #[arg(long, env = "TOKENWRIGHT_TRUSTED_PROXIES", value_name = "CIDR,...")]
    pub trusted_proxies: Vec<ProxyList>,

    /// The header in which trusted proxies report the client address. The other one is ignored.
    #[arg(
        long,
        env = "TOKENWRIGHT_FORWARDED_HEADER",
        value_enum,
        default_value_t = HeaderChoice::XForwardedFor
    )]
    pub forwarded_header: HeaderChoice,

    /// Who may introspect the schema. `public` in `dev`, `authenticated` in `serve` unless set.
    #[arg(long, env = "TOKENWRIGHT_INTROSPECTION", value_enum)]
    pub introspection: Option<IntrospectionChoice>,

    /// Origins whose pages may use /graphql from a browser, such as `https://app.example`,
    /// separated by commas. Write them exactly as browsers send them: no path, no trailing slash,
    /// no wildcard. None unless set; the playground needs none.
    #[arg(long, env = "TOKENWRIGHT_ALLOWED_ORIGINS", value_name = "ORIGIN,...")]
    pub allowed_origins: Vec<OriginList>,

    /// Whether `/authorize` must be asked for at least one permission. Without, a gateway that asks
    /// for none lets every valid token pass.
    #[arg(
        long,
        env = "TOKENWRIGHT_AUTHORIZE_NEEDS_PERMISSION",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "true",
        value_parser = boolean
    )]
    pub authorize_needs_permission: bool,

    /// The URL at which clients reach this server, such as `https://tokens.example`. It is the
    /// issuer of the OAuth metadata, exactly as given; without it, there is no metadata.
    #[arg(long, env = "TOKENWRIGHT_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// Serve the playground, GraphiQL, at `/`. On in `dev`, off in `serve` unless set.
    #[arg(
        long,
        env = "TOKENWRIGHT_PLAYGROUND",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = boolean
    )]
    pub playground: Option<bool>,

    /// Longest time for each of: reading a request's head, authenticating it, reading its body,
    /// answering a query.
    #[arg(
        long,
        env = "TOKENWRIGHT_REQUEST_TIMEOUT",
        value_name = "DURATION",
        default_value = "10s",
        value_parser = timeout
    )]
    pub request_timeout: Duration,

    /// How long requests are still served after SIGTERM or SIGINT, while `/readyz` already answers
    /// 503: as long as load balancers take to notice. A second signal ends it.
    #[arg(
        long,
        env = "TOKENWRIGHT_SHUTDOWN_DELAY",
        value_name = "DURATION",
        default_value = "0s",
        value_parser = delay
    )]
    pub shutdown_delay: Duration,

    /// Longest time to finish what is in flight after SIGTERM or SIGINT, and after
    /// `--shutdown-delay`.
    #[arg(
        long,
        env = "TOKENWRIGHT_SHUTDOWN_TIMEOUT",
        value_name = "DURATION",
        default_value = "30s",
        value_parser = timeout
    )]
    pub shutdown_timeout: Duration,

    /// Threads that serve requests: as many as the machine has cores unless set.
    #[arg(
        long,
        env = "TOKENWRIGHT_WORKERS",
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    pub workers: Option<u16>,

    /// Most connections at once; further ones are closed. As many as there may be descriptors, less
    /// a reserve, and at most 1024 unless set.
    #[arg(
        long,
        env = "TOKENWRIGHT_MAX_CONNECTIONS",
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub max_connections: Option<u32>,

    /// Most connections at once from one address, or from one network of 64 bits in IPv6. Trusted
    /// proxies are exempt.
    #[arg(
        long,
        env = "TOKENWRIGHT_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "NUMBER",
        default_value_t = 512,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub max_connections_per_address: u32,
}

/// Connections at once unless set: each takes up to 100 KB, and a container of 256 MiB is to
/// suffice.
const CONNECTIONS: u64 = 1024;
/// Descriptors that are kept for the database, the log and the rest.
const RESERVED_DESCRIPTORS: u64 = 256;

/// The descriptors that a server takes without a client: files and sockets at rest, for each thread
/// that serves, and for each connection to the database, which on SQLite is two files.
fn own_descriptors(workers: usize, database_connections: u16) -> u64 {
    let workers = u64::try_from(workers).unwrap_or(u64::MAX);
    workers.saturating_mul(5).saturating_add(30 + 2 * u64::from(database_connections))
}

fn number(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The forwarding headers, as the command line knows them.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum HeaderChoice {
    XForwardedFor,
    Forwarded,
}

impl From<HeaderChoice> for ForwardedHeader {
    fn from(choice: HeaderChoice) -> Self {
        match choice {
            HeaderChoice::XForwardedFor => Self::XForwardedFor,
            HeaderChoice::Forwarded => Self::Forwarded,
        }
    }
}

/// Who may introspect, as the command line knows it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum IntrospectionChoice {
    /// Everybody.
    Public,
    /// Whoever has a valid token.
    Authenticated,
    /// Nobody.
    Off,
}

impl From<IntrospectionChoice> for Introspection {
    fn from(choice: IntrospectionChoice) -> Self {
        match choice {
            IntrospectionChoice::Public => Self::Public,
            IntrospectionChoice::Authenticated => Self::Authenticated,
            IntrospectionChoice::Off => Self::Off,
        }
    }
}

impl HttpArgs {
    /// The settings, with the defaults in which `dev` and `serve` differ, for a process that may
    /// have so many descriptors; `None`: any number.
    pub fn settings(
        &self,
        introspection: Introspection,
        playground: bool,
        descriptors: Option<u64>,
        database_connections: u16,
    ) -> HttpSettings {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let workers = self.workers.map_or_else(cores, usize::from);
        let own = own_descriptors(workers, database_connections);
        HttpSettings {
            trusted_proxies: TrustedProxies::new(self.proxies()),
            forwarded_header: self.forwarded_header.into(),
            introspection: self.introspection.map_or(introspection, Introspection::from),
            allowed_origins: AllowedOrigins::new(self.origins()),
            authorize_needs_permission: self.authorize_needs_permission,
            public_url: self.public_url.clone(),
            playground: self.playground.unwrap_or(playground),
            request_timeout: self.request_timeout,
            shutdown_timeout: self.shutdown_timeout,
            workers,
            connections: self.connections(descriptors, own),
            subscriptions: None,
        }
    }

    /// Connections that are wanted at once.
    pub fn wanted_connections(&self) -> usize {
        number(self.max_connections.map_or(CONNECTIONS, u64::from))
    }

    /// Never more than there may be descriptors, less what the server itself needs.
    fn connections(&self, descriptors: Option<u64>, own: u64) -> ConnectionLimits {
        let descriptors = descriptors.unwrap_or(u64::MAX);
        let reserved = RESERVED_DESCRIPTORS.min(descriptors / 2).max(own);
        let possible = descriptors.saturating_sub(reserved).max(1);
        ConnectionLimits {
            all: self.wanted_connections().min(number(possible)),
            per_address: number(self.max_connections_per_address.into()),
        }
    }

    /// Do the trusted proxies, taken together, cover every address of IPv4 or of IPv6?
    pub fn trusts_everybody(&self) -> bool {
        IpNet::aggregate(&self.proxies()).iter().any(|network| network.prefix_len() == 0)
    }

    fn proxies(&self) -> Vec<IpNet> {
        let lists = self.trusted_proxies.iter();
        lists.flat_map(|list| list.0.iter().copied()).collect()
    }

    fn origins(&self) -> Vec<WebOrigin> {
        let lists = self.allowed_origins.iter();
        lists.flat_map(|list| list.0.iter().cloned()).collect()
    }
}
