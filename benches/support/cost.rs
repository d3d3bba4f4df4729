//! What requests cost.

use super::{Load, Server, Store, load_requests};

/// What each request of a load cost.
pub struct Cost {
    /// Requests a second.
    pub rate: f64,
    /// Microseconds of CPU of the server.
    pub micros: f64,
    /// The same of the database's own processes.
    pub database: f64,
}

/// Sends so many requests on each connection: `request` makes the n-th one, and each answer must have
/// `expected` in its body.
pub async fn cost(
    connections: usize,
    server: &Server,
    store: Option<&Store>,
    each: usize,
    request: impl Fn(usize) -> Vec<u8>,
    expected: &str,
) -> Cost {
    let servers = std::slice::from_ref(server);
    let load = load_requests(connections, servers, each, request, expected);
    cost_of(server, store, load).await
}

/// The same for any load, which begins when it is awaited.
pub async fn cost_of(
    server: &Server,
    store: Option<&Store>,
    load: impl Future<Output = Load>,
) -> Cost {
    let database = || store.map_or(0.0, Store::micros);
    let before = (server.micros(), database());
    let load = load.await;
    let requests = load.requests as f64;
    Cost {
        rate: load.rate(),
        micros: (server.micros() - before.0) / requests,
        database: (database() - before.1) / requests,
    }
}
