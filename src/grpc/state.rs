//! What the server and its answers share.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::clock::Clock;
use crate::domain::random::RandomSource;
use crate::service::Service;
use crate::surface::{Connections, RefusalSums, Tls};
use crate::wire::forwarded::{ForwardedHeader, TrustedProxies};

/// What the server and its answers share.
pub struct GrpcState {
    /// The use cases.
    pub service: Arc<Service>,
    /// The clock, for the ids of requests.
    pub clock: Arc<dyn Clock>,
    /// The random source for the ids of requests.
    pub id_random: Arc<dyn RandomSource>,
    /// Counts refusals for the log.
    pub refusals: Arc<RefusalSums>,
    /// Counts connections, with those of the other listeners.
    pub connections: Arc<Connections>,
    /// The certificate that is shown; without it nothing is encrypted.
    pub tls: Option<Arc<Tls>>,
    /// Peers whose word for the client's address is believed.
    pub trusted_proxies: TrustedProxies,
    /// The header in which proxies before Envoy report the client's address.
    pub forwarded_header: ForwardedHeader,
    /// Must at least one permission be asked for?
    pub needs_permission: bool,
    /// Longest time for one answer.
    pub request_timeout: Duration,
    /// Longest time to finish what is in flight at the end.
    pub shutdown_timeout: Duration,
}
