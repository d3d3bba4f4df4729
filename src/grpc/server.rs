//! The tonic server: where it listens, its limits, and its orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use envoy_types::ext_authz::v3::pb::AuthorizationServer;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::Router;

use super::ext_authz::ExtAuthz;
use super::socket::Socket;
use super::state::GrpcState;
use crate::surface::{Protocol, Transport};

/// Questions at once on one connection. Envoy keeps one connection for each of its threads.
const MAX_STREAMS: u32 = 256;
/// The largest question, in bytes. Envoy sends all headers of the client's request, 60 KiB unless
/// its settings allow more, and its body only where it is told to.
const MAX_MESSAGE: usize = 256 * 1024;
/// The headers of a question itself, in bytes; Envoy needs less than one KiB.
const MAX_HEADERS: u32 = 16 * 1024;
/// How often a quiet connection is asked whether its peer is still there, and how long for.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause when a connection cannot be accepted, for want of descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A server that listens.
pub struct GrpcServer {
    listener: TcpListener,
    address: SocketAddr,
    state: Arc<GrpcState>,
}

/// Listens on an address; port 0 takes a free one.
///
/// # Errors
/// When the address cannot be bound.
pub async fn bind(address: SocketAddr, state: GrpcState) -> std::io::Result<GrpcServer> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok(GrpcServer { listener, address, state: Arc::new(state) })
}

impl GrpcServer {
    /// The address on which it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready, then takes nothing new and finishes what is in flight, for as
    /// long as the settings allow.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let limit = self.state.shutdown_timeout;
        let ending = CancellationToken::new();
        let router = router(&self.state);
        let incoming = incoming(self.listener, self.state);
        let ended = ending.clone().cancelled_owned();
        let mut serving = tokio::spawn(router.serve_with_incoming_shutdown(incoming, ended));
        tokio::select! {
            ended = &mut serving => {
                return ended.map_err(std::io::Error::other)?.map_err(std::io::Error::other);
            }
            () = stop => ending.cancel(),
        }
        match timeout(limit, &mut serving).await {
            Ok(ended) => ended.map_err(std::io::Error::other)?.map_err(std::io::Error::other),
            Err(_) => {
                serving.abort();
                tracing::warn!(?limit, "gRPC connections did not end in time");
                Ok(())
            }
        }
    }
}

fn router(state: &Arc<GrpcState>) -> Router {
    let service = AuthorizationServer::new(ExtAuthz::new(Arc::clone(state)));
    Server::builder()
        .timeout(state.request_timeout)
        .max_concurrent_streams(MAX_STREAMS)
        .concurrency_limit_per_connection(usize::try_from(MAX_STREAMS).unwrap_or(usize::MAX))
        .http2_max_header_list_size(MAX_HEADERS)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
        .add_service(service.max_decoding_message_size(MAX_MESSAGE))
}

/// The connections that are admitted.
fn incoming(
    listener: TcpListener,
    state: Arc<GrpcState>,
) -> impl Stream<Item = std::io::Result<Socket>> {
    unfold((listener, state), async |(listener, state)| {
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a gRPC connection was not accepted");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // An answer is written in parts: without this, the last one waits for the peer.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a gRPC connection ended at once");
                continue;
            }
            match state.connections.admit(Some(peer.ip())) {
                Ok(admitted) => {
                    let stream = Transport::new(stream, state.tls.as_ref(), Protocol::Http2);
                    let socket = Socket::new(stream, peer, state.request_timeout, admitted);
                    return Some((Ok(socket), (listener, state)));
                }
                Err(too_many) => {
                    if state.refusals.is_first(Some(peer.ip()), &too_many.to_string()) {
                        tracing::warn!(client = %peer.ip(), "gRPC connection refused: {too_many}");
                    }
                }
            }
        }
    })
}
