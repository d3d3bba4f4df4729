//! `/metrics` for Prometheus, on a listener of its own: who may use the public one must not learn
//! how many tokens there are and what is refused to whom.

mod families;
mod numbers;
mod process;

use std::future::ready;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive};
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use actix_web::rt::net::TcpStream;
use actix_web::{App, Error, HttpResponse, web};
use prometheus_client::encoding::prometheus_text::{CONTENT_TYPE, encode};
use prometheus_client::registry::Registry;

use self::numbers::Numbers;
use self::process::Process;
use super::read_only::read_only;
use super::refusal::Refusal;
use crate::service::Service;
use crate::surface::{Connections, Protocol, Tls, Transport};

const PATH: &str = "/metrics";
/// Connections at once: one for each Prometheus, and some for people.
const CONNECTIONS: usize = 32;
/// Longest time for a head.
const HEAD: Duration = Duration::from_secs(5);
/// Longest time to finish an answer at the end, in seconds.
const END: u64 = 1;

/// What the numbers are read from.
#[derive(Clone)]
pub struct MetricsState {
    /// Counts what it does, and knows what is under way.
    pub service: Arc<Service>,
    /// The connections of all public listeners.
    pub connections: Arc<Connections>,
}

/// A server that listens.
pub struct MetricsServer {
    server: Server,
    address: SocketAddr,
}

/// Listens on an address; port 0 takes a free one.
///
/// # Errors
/// When the address cannot be bound.
pub fn bind(
    address: SocketAddr,
    state: MetricsState,
    tls: Option<Arc<Tls>>,
) -> std::io::Result<MetricsServer> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let state = web::Data::new(state);
    let server = Server::build()
        .workers(1)
        .max_concurrent_connections(CONNECTIONS)
        .shutdown_timeout(END)
        .disable_signals();
    let listening = server.listen("metrics", listener, move || {
        let app = App::new()
            .app_data(state.clone())
            .service(read_only(PATH, metrics))
            .default_service(web::to(async || Refusal::NotFound.json()));
        let app = app.into_factory().map_err(|error: Error| error.error_response());
        // One request on a connection: the library bounds the time of the first head only.
        let http = HttpService::build()
            .keep_alive(KeepAlive::Disabled)
            .client_request_timeout(HEAD)
            .local_addr(address)
            .h1(map_config(app, |()| AppConfig::default()));
        let tls = tls.clone();
        let accept = move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            ready(Ok((Transport::new(stream, tls.as_ref(), Protocol::Http1), peer)))
        };
        fn_service(accept).and_then(http)
    });
    Ok(MetricsServer { server: listening?.run(), address })
}

impl MetricsServer {
    /// The address on which it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let handle = self.server.handle();
        let mut serving = tokio::spawn(self.server);
        tokio::select! {
            ended = &mut serving => return ended.map_err(std::io::Error::other)?,
            () = stop => {}
        }
        handle.stop(true).await;
        serving.await.map_err(std::io::Error::other)?
    }
}

async fn metrics(state: web::Data<MetricsState>) -> HttpResponse {
    let levels = state.service.levels().await;
    let mut registry = Registry::default();
    let own = registry.sub_registry_with_prefix("tokenwright");
    own.register_collector(Box::new(Numbers {
        metrics: Arc::clone(state.service.metrics()),
        connections: Arc::clone(&state.connections),
        levels,
    }));
    registry.register_collector(Box::new(Process));
    let mut text = String::new();
    if let Err(error) = encode(&mut text, &registry) {
        tracing::error!(%error, "the metrics cannot be written, which is a defect");
        return Refusal::Unavailable.json();
    }
    HttpResponse::Ok()
        .content_type(CONTENT_TYPE)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(text)
}
