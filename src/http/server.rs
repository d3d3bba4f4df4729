//! The actix-web server.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, middleware, web};

use super::connection::slow_heads::{Connections, busy_connection};
use super::connection::unread_body::unread_body;
use super::graphql::negotiation::MediaType;
use super::refusal::Refusal;
use super::request::request_log::request_log;
use super::state::HttpState;
use super::{graphql, health, playground};

/// How long a quiet connection is kept for the next request.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// A server that listens.
pub struct HttpServer {
    server: actix_web::dev::Server,
    address: SocketAddr,
    shutdown_timeout: Duration,
    connections: Connections,
    head_limit: Duration,
}

/// Listens on an address; port 0 takes a free one.
///
/// # Errors
/// When the address cannot be had.
pub fn bind(address: SocketAddr, state: Arc<HttpState>) -> std::io::Result<HttpServer> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let shutdown_timeout = state.settings.shutdown_timeout;
    let head_timeout = state.settings.request_timeout;
    let (workers, with_playground) = (state.settings.workers, state.settings.playground);
    let state = web::Data::from(state);
    let app = move || {
        let app = App::new()
            .app_data(state.clone())
            .wrap(middleware::from_fn(unread_body))
            .wrap(middleware::from_fn(busy_connection))
            .wrap(middleware::from_fn(request_log))
            .configure(graphql::endpoint::configure)
            .configure(health::configure)
            .default_service(web::to(async || Refusal::NotFound.response(MediaType::Json)));
        if with_playground { app.configure(playground::configure) } else { app }
    };
    let connections = Connections::default();
    let noted = connections.clone();
    let server = actix_web::HttpServer::new(app)
        .on_connect(move |stream, data| noted.note(stream, data))
        .workers(workers)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(head_timeout)
        .shutdown_timeout(whole_seconds(shutdown_timeout))
        // Signals are the composition root's: SIGINT, too, finishes what is in flight.
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(HttpServer {
        server,
        address,
        shutdown_timeout,
        connections,
        head_limit: KEEP_ALIVE + head_timeout,
    })
}

impl HttpServer {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready, then takes nothing new and finishes what is in flight, for as
    /// long as the settings allow.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let handle: ServerHandle = self.server.handle();
        let closing = tokio::spawn(self.connections.close_slow(self.head_limit));
        let mut serving = tokio::spawn(self.server);
        tokio::select! {
            ended = &mut serving => return ended.map_err(std::io::Error::other)?,
            () = stop => {}
        }
        tracing::info!(timeout = ?self.shutdown_timeout, "shutting down");
        handle.stop(true).await;
        let ended = serving.await.map_err(std::io::Error::other)?;
        closing.abort();
        ended
    }
}

/// The server counts in seconds; a part of one is not cut off.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
