//! What handlers share.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::authorize::IdentityHeaders;
use super::public_url::PublicUrl;
use super::request::room::RequestRoom;
use super::request::web_origin::AllowedOrigins;
use crate::domain::clock::Clock;
use crate::domain::random::RandomSource;
use crate::graphql::{Engine, Introspection};
use crate::service::{LiveLimits, Service};
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
    /// How many sockets there may be for subscriptions, if there may be any.
    pub subscriptions: Option<SocketLimits>,
}

/// How much may be subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketLimits {
    /// Sockets, in all and with one token.
    pub sockets: LiveLimits,
    /// Subscriptions on one socket.
    pub subscriptions: usize,
}

/// What handlers share.
pub struct HttpState {
    /// What answers GraphQL requests.
    pub engine: Arc<Engine>,
    /// The use cases.
    pub service: Arc<Service>,
    /// The clock, for the ids of requests and the playground's example.
    pub clock: Arc<dyn Clock>,
    /// The random source, for nonces.
    pub random: Arc<dyn RandomSource>,
    /// The random source for the ids of requests.
    pub id_random: Arc<dyn RandomSource>,
    /// Counts refusals for the log.
    pub refusals: Arc<RefusalSums>,
    /// The headers that `/authorize` answered before.
    pub identity_headers: IdentityHeaders,
    /// The memory for requests.
    pub room: RequestRoom,
    /// Cancelled once the server is about to end: then it is not ready any more.
    pub leaving: CancellationToken,
    /// Cancelled when the server ends: then sockets are closed.
    pub closing: CancellationToken,
    /// What the operator decides.
    pub settings: HttpSettings,
}
