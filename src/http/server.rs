//! The actix-web server.

use std::future::ready;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::{Server, ServerHandle};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::{App, Error, middleware, web};
use tokio_util::sync::CancellationToken;

use super::connection::activity::busy_connection;
use super::connection::library_refusal::Refuser;
use super::connection::socket::Socket;
use super::connection::unread_body::unread_body;
use super::pulse::Pulse;
use super::refusal::Refusal;
use super::request::path::GRAPHQL;
use super::request::request_log::request_log;
use super::state::HttpState;
use super::{authorize, graphql, health, oauth, playground};
use crate::surface::{Connections, Protocol, Tls, Transport};
use crate::wire::request_stream::Upgrades;

/// How long a quiet connection is kept for the next request.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long a refused client may go on sending its body, which nobody reads. A connection that is
/// closed at once is reset by what still comes, and most clients lose the answer with it.
const LINGER: Duration = Duration::from_secs(5);

/// A server that listens.
pub struct HttpServer {
    server: Server,
    address: SocketAddr,
    shutdown_timeout: Duration,
    closing: CancellationToken,
    pulse: Arc<Pulse>,
}

/// Listens on an address; port 0 takes a free one. `connections` counts those of all listeners. Without
/// `tls` nothing is encrypted.
///
/// # Errors
/// When the address cannot be bound.
pub fn bind(
    address: SocketAddr,
    state: HttpState,
    connections: Arc<Connections>,
    tls: Option<Arc<Tls>>,
) -> std::io::Result<HttpServer> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let shutdown_timeout = state.settings.shutdown_timeout;
    let head_timeout = state.settings.request_timeout;
    let (workers, with_playground) = (state.settings.workers, state.settings.playground);
    let public_url = state.settings.public_url.clone();
    let upgrades = match state.settings.subscriptions {
        Some(_) => Upgrades::WebSocketAt(GRAPHQL),
        None => Upgrades::None,
    };
    let closing = state.closing.clone();
    let state = web::Data::new(state);
    let counting = state.clone();
    let app = move || {
        let app = App::new()
            .app_data(state.clone())
            .wrap(middleware::from_fn(unread_body))
            .wrap(middleware::from_fn(busy_connection))
            .wrap(middleware::from_fn(request_log))
            .configure(authorize::configure)
            .configure(graphql::endpoint::configure)
            .configure(|config| oauth::configure(config, public_url.as_ref()))
            .configure(health::configure)
            .configure(authorize::configure_behind)
            .default_service(web::to(async || Refusal::NotFound.json()));
        if with_playground { app.configure(playground::configure) } else { app }
    };
    let idle_limit = KEEP_ALIVE + head_timeout;
    let server = Server::build()
        .workers(workers)
        .shutdown_timeout(whole_seconds(shutdown_timeout))
        // The composition root handles signals: SIGINT, too, finishes what is in flight.
        .disable_signals();
    let stopping = server.graceful_shutdown_signal();
    let pulse = Arc::<Pulse>::default();
    let joining = Arc::clone(&pulse);
    // Called on each thread that serves requests.
    let listening = server.listen("http", listener, move || {
        counting.service.prepare_thread();
        joining.join();
        let app = app().into_factory().map_err(|error: Error| error.error_response());
        let stopping = stopping.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(head_timeout)
            .client_disconnect_timeout(LINGER)
            .local_addr(address)
            .on_connect_ext(|socket: &Socket, data| {
                data.insert(socket.activity());
            })
            .h1(map_config(app, |()| AppConfig::default()));
        let (connections, state) = (Arc::clone(&connections), counting.clone());
        let tls = tls.clone();
        let accept = move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            let address = peer.map(|peer| peer.ip());
            ready(match connections.admit(address) {
                Ok(admitted) => {
                    let refuser = Refuser::new(state.clone(), address);
                    let stream = Transport::new(stream, tls.as_ref(), Protocol::Http1);
                    Ok((Socket::new(stream, idle_limit, upgrades, refuser, admitted), peer))
                }
                Err(too_many) => {
                    if state.refusals.is_first(address, &too_many.to_string()) {
                        let client = address.map(tracing::field::display);
                        tracing::warn!(client, "connection refused: {too_many}");
                    }
                    Err(DispatchError::Io(ErrorKind::ConnectionRefused.into()))
                }
            })
        };
        fn_service(accept).and_then(http)
    });
    let server = listening?.run();
    Ok(HttpServer { server, address, shutdown_timeout, closing, pulse })
}

impl HttpServer {
    /// The address on which it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether the threads that serve requests still turn.
    pub const fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    /// Serves until `stop` is ready, then takes nothing new and finishes what is in flight, for as
    /// long as the settings allow.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let handle: ServerHandle = self.server.handle();
        let mut serving = tokio::spawn(self.server);
        tokio::select! {
            ended = &mut serving => return ended.map_err(std::io::Error::other)?,
            () = stop => {}
        }
        tracing::info!(timeout = ?self.shutdown_timeout, "shutting down");
        self.closing.cancel();
        handle.stop(true).await;
        serving.await.map_err(std::io::Error::other)?
    }
}

/// The server counts in seconds; a part of one is not cut off.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
