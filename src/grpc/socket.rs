//! A connection to the gRPC listener, which counts for as long as it is open.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::Connected;

use crate::surface::{Admitted, Transport};

/// The bytes with which a client of HTTP/2 begins (RFC 9113, section 3.4). tonic waits for them
/// without a bound.
const PREFACE: usize = 24;

/// A connection. It ends by itself when it does not begin as it should; later the server asks
/// whether the peer is still there.
pub(super) struct Socket {
    stream: Transport,
    peer: Peer,
    /// Until the preface has come.
    timer: Option<Pin<Box<Sleep>>>,
    /// What has come of it.
    begun: usize,
    _admitted: Admitted,
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

impl Socket {
    /// A new connection that must begin within `limit`.
    pub(super) fn new(
        stream: Transport,
        peer: SocketAddr,
        limit: Duration,
        admitted: Admitted,
    ) -> Self {
        let timer = Some(Box::pin(sleep(limit)));
        Self { stream, peer: Peer(peer.ip()), timer, begun: 0, _admitted: admitted }
    }
}

impl Connected for Socket {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        let Some(timer) = &mut this.timer else { return read };
        if read.is_pending() {
            return timer.as_mut().poll(context).map(|()| Err(ErrorKind::TimedOut.into()));
        }
        this.begun += buffer.filled().len().saturating_sub(before);
        if this.begun >= PREFACE {
            this.timer = None;
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
