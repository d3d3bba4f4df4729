//! The socket of one connection, as the HTTP library reads and writes it.
//!
//! actix-http bounds the time for a head on the first request of a connection only. On later
//! requests, a client could hold its connection forever by sending half a head, and a few hundred
//! such clients would use up the descriptors of the process. So a connection on which no request is
//! being answered ends after a while. actix-http closes a quiet one long before; what is left sends
//! half a head, or does not read its answer.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::library_refusal::{self, Refuser, Replacement};
use crate::surface::{Admitted, Transport};
use crate::wire::request_stream::RequestStream;

/// A socket that ends by itself when it is without a request for too long, and whose requests offer
/// no change of protocol.
pub(in crate::http) struct Socket {
    stream: Transport,
    requests: RequestStream,
    idle: Idle,
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    refuser: Refuser,
    /// Being written in place of a refusal of the library, from this byte on.
    replacement: Option<(Replacement, usize)>,
    _admitted: Admitted,
}

/// Since when no request is being answered on a connection; `None` while one is.
#[derive(Clone)]
pub(in crate::http) struct Idle(Rc<Cell<Option<Instant>>>);

impl Socket {
    /// A new connection, which ends when it is `limit` without a request.
    pub(in crate::http) fn new(
        stream: Transport,
        limit: Duration,
        refuser: Refuser,
        admitted: Admitted,
    ) -> Self {
        let idle = Idle(Rc::new(Cell::new(Some(Instant::now()))));
        let requests = RequestStream::default();
        Self {
            stream,
            requests,
            idle,
            limit,
            timer: None,
            refuser,
            replacement: None,
            _admitted: admitted,
        }
    }

    /// For [`busy_connection`].
    pub(in crate::http) fn idle(&self) -> Idle {
        self.idle.clone()
    }

    /// Ready when the connection has been without a request for too long.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(since) = self.idle.0.get() else {
            return Poll::Pending;
        };
        let deadline = since + self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx)
    }

    /// Writes the whole replacement, then counts what it replaces as written.
    fn poll_replacement(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some((replacement, written)) = &mut self.replacement {
            let rest = replacement.text.get(*written..).unwrap_or_default();
            if rest.is_empty() {
                let replaced = replacement.replaced;
                self.replacement = None;
                return Poll::Ready(Ok(replaced));
            }
            let polled = Pin::new(&mut self.stream).poll_write(cx, rest);
            let count = ready!(self.or_overdue(cx, polled))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if let Some((_, written)) = &mut self.replacement {
                *written += count;
            }
        }
        Poll::Ready(Ok(0))
    }

    /// Gives up writing when the connection is overdue.
    fn or_overdue<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_pending() {
            ready!(self.poll_overdue(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl AsyncRead for Socket {
    /// Ends where the connection is overdue.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_pending() {
            ready!(self.poll_overdue(cx));
            return Poll::Ready(Ok(()));
        }
        if let Some((_, new)) = buffer.filled_mut().split_at_mut_checked(before) {
            self.requests.pass(new);
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut before = bytes;
        if self.replacement.is_none()
            && let Some((start, refusal)) = library_refusal::at_end(bytes)
        {
            let (first, head) = bytes.split_at_checked(start).unwrap_or((bytes, &[]));
            before = first;
            if first.is_empty() {
                self.replacement = Some((self.refuser.replace(head, refusal), 0));
            }
        }
        if self.replacement.is_some() {
            return self.poll_replacement(cx);
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, before);
        self.or_overdue(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.or_overdue(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Marks a connection as busy until it is dropped.
struct Busy(Idle);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.set(Some(Instant::now()));
    }
}

/// Wraps every request: its head has arrived.
pub(in crate::http) async fn busy_connection(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let idle = request.request().conn_data::<Idle>().cloned();
    let _busy = idle.map(|idle| {
        idle.0.set(None);
        Busy(idle)
    });
    next.call(request).await
}
