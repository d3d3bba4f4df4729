//! What handlers share.

use std::sync::Arc;
use std::time::Duration;

use super::public_url::PublicUrl;
use super::request::room::RequestRoom;
use super::request::web_origin::AllowedOrigins;
use crate::domain::clock::Clock;
use crate::domain::random::RandomSource;
use crate::graphql::{Engine, Introspection};
use crate::service::Service;
use crate::surface::{ConnectionLimits, RefusalSums};
use crate::wire::forwarded::{ForwardedHeader, TrustedProxies};

/// What the operator decides about HTTP.
#[derive(Debug)]
pub struct HttpSettings {
    /// Peers whose forwarding header is believed.
    pub trusted_proxies: TrustedProxies,
    /// The header that trusted proxies report the client address in.
    pub forwarded_header: ForwardedHeader,
    /// Who may introspect the schema.
    pub introspection: Introspection,
    /// Whose pages may use GraphQL from another origin.
    pub allowed_origins: AllowedOrigins,
    /// Must `/authorize` be asked for at least one permission?
    pub authorize_needs_permission: bool,
    /// The URL at which clients reach this server: the issuer of its tokens.
    pub public_url: Option<PublicUrl>,
    /// Is the playground at `/` served?
    pub playground: bool,
    /// Longest time to read a head, again to read a body, and again to answer.
    pub request_timeout: Duration,
    /// Longest time to finish what is in flight at the end.
    pub shutdown_timeout: Duration,
    /// Threads that serve requests.
    pub workers: usize,
    /// How many connections there may be at once.
    pub connections: ConnectionLimits,
}

/// What handlers share.
pub struct HttpState {
    /// What answers GraphQL requests.
    pub engine: Engine,
    /// The use cases.
    pub service: Arc<Service>,
    /// The clock, for the ids of requests and the playground's example.
    pub clock: Arc<dyn Clock>,
    /// The random source, for the ids of requests and nonces.
    pub random: Arc<dyn RandomSource>,
    /// Counts refusals for the log.
    pub refusals: Arc<RefusalSums>,
    /// The memory for requests.
    pub room: RequestRoom,
    /// What the operator decides.
    pub settings: HttpSettings,
}
