//! The bytes of a connection, with or without TLS. The handshake happens when they are first read
//! or written, so that it is bounded by what bounds a first request, and no listener waits for it.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::Accept;
use tokio_rustls::server::TlsStream;

use super::{Protocol, Tls};
use crate::metrics::Handshake;

/// A connection of a client.
pub struct Transport(State);

enum State {
    Plain(TcpStream),
    Handshake {
        accept: Box<Accept<TcpStream>>,
        peer: Option<IpAddr>,
        tls: Arc<Tls>,
    },
    Tls(Box<TlsStream<TcpStream>>),
    /// There was no handshake.
    Failed,
}

impl Transport {
    /// A connection that was accepted. Without `tls` its bytes are as they are.
    pub fn new(stream: TcpStream, tls: Option<&Arc<Tls>>, protocol: Protocol) -> Self {
        Self(match tls {
            None => State::Plain(stream),
            Some(tls) => {
                let peer = stream.peer_addr().ok().map(|peer| peer.ip());
                let accept = Box::new(tls.acceptor(protocol).accept(stream));
                State::Handshake { accept, peer, tls: Arc::clone(tls) }
            }
        })
    }

    /// Ready when there is something to read, or nothing any more: the client is gone. Of TLS, only
    /// reading tells.
    pub fn poll_waiting(&self, context: &mut Context<'_>) -> Poll<bool> {
        let State::Plain(stream) = &self.0 else { return Poll::Ready(false) };
        let mut byte = [0];
        let peeked = stream.poll_peek(context, &mut ReadBuf::new(&mut byte));
        peeked.map(|peeked| peeked.is_ok_and(|count| count > 0))
    }

    /// Ready when bytes can be read and written.
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let State::Handshake { accept, peer, tls } = &mut self.0 else {
            return Poll::Ready(Ok(()));
        };
        match ready!(Pin::new(accept.as_mut()).poll(context)) {
            Ok(stream) => {
                tls.metrics.handshakes.count(Handshake::Done);
                self.0 = State::Tls(Box::new(stream));
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                tls.failed(*peer, &error);
                self.0 = State::Failed;
                Poll::Ready(Err(error))
            }
        }
    }
}

impl Tls {
    /// The first failure of each kind from an address has a line; the next ones are counted.
    fn failed(&self, peer: Option<IpAddr>, error: &io::Error) {
        self.metrics.handshakes.count(Handshake::Failed);
        let client = peer.map(tracing::field::display);
        if self.refusals.is_first(peer, &format!("TLS: {error}")) {
            tracing::info!(client, %error, "no TLS connection came about");
        } else {
            tracing::debug!(client, %error, "no TLS connection came about");
        }
    }
}

/// Calls a method of the stream that the bytes go through.
macro_rules! through {
    ($self:ident, $context:ident, $stream:ident => $call:expr) => {{
        let this = $self.get_mut();
        ready!(this.poll_open($context))?;
        match &mut this.0 {
            State::Plain($stream) => $call,
            State::Tls(boxed) => {
                let $stream = boxed.as_mut();
                $call
            }
            State::Handshake { .. } | State::Failed => {
                Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
            }
        }
    }};
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        through!(self, context, stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        through!(self, context, stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        through!(self, context, stream => Pin::new(stream).poll_flush(context))
    }

    /// A handshake that is under way ends with the connection.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            State::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            State::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            State::Handshake { .. } | State::Failed => Poll::Ready(Ok(())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        through!(self, context, stream => Pin::new(stream).poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            State::Plain(stream) => stream.is_write_vectored(),
            State::Tls(stream) => stream.is_write_vectored(),
            State::Handshake { .. } | State::Failed => true,
        }
    }
}
