//! The socket of one connection, as the HTTP library reads and writes it.
//!
//! actix-http bounds the time for a head on the first request of a connection only. On later
//! requests, a client could hold its connection forever by sending half a head, and a few hundred
//! such clients would use up the descriptors of the process. So a connection on which no request is
//! being answered ends after a while. actix-http closes a quiet one long before; what is left sends
//! half a head, or does not read its answer.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

use super::activity::{Activity, PIECE};
use super::library_refusal::{self, Refuser, Replacement};
use crate::surface::{Admitted, Transport};
use crate::wire::request_stream::{RequestStream, Upgrades};

thread_local! {
    /// What was just read, until it was looked at. The buffer of the library would have to be filled
    /// with zeros first, each time.
    static PIECE_HERE: RefCell<[u8; PIECE]> = const { RefCell::new([0; PIECE]) };
}

/// A socket that ends by itself when it is without a request for too long, gives no more than
/// anybody takes, and whose requests offer no change of protocol.
pub(in crate::http) struct Socket {
    stream: Transport,
    requests: RequestStream,
    activity: Activity,
    /// The library has a whole piece to look at before the next one.
    has_piece: bool,
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    refuser: Refuser,
    /// Being written in place of a refusal of the library, from this byte on.
    replacement: Option<(Replacement, usize)>,
    _admitted: Admitted,
}

impl Socket {
    /// A new connection, which ends when it is `limit` without a request, and may become a
    /// WebSocket as `upgrades` says.
    pub(in crate::http) fn new(
        stream: Transport,
        limit: Duration,
        upgrades: Upgrades,
        refuser: Refuser,
        admitted: Admitted,
    ) -> Self {
        Self {
            stream,
            requests: RequestStream::new(upgrades),
            activity: Activity::default(),
            has_piece: false,
            limit,
            timer: None,
            refuser,
            replacement: None,
            _admitted: admitted,
        }
    }

    /// For [`busy_connection`](super::activity::busy_connection) and who reads bodies.
    pub(in crate::http) fn activity(&self) -> Activity {
        self.activity.clone()
    }

    /// Ready when the connection has been without a request for too long.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.activity.has_ended() {
            return Poll::Ready(());
        }
        let Some(since) = self.activity.idle_since() else {
            if self.requests.is_upgraded() {
                self.activity.wait(cx);
            }
            return Poll::Pending;
        };
        let deadline = since + self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        // It is left at the deadline of an earlier request until that has come: few requests move it.
        ready!(timer.as_mut().poll(cx));
        if timer.deadline() < deadline {
            timer.as_mut().reset(deadline);
            ready!(timer.as_mut().poll(cx));
        }
        Poll::Ready(())
    }

    /// Is a request being answered, and was all of it read? What comes now belongs to the next one.
    fn is_ahead(&self) -> bool {
        self.activity.idle_since().is_none() && self.requests.in_head()
    }

    /// Reads at most so many bytes. Nothing is handed on where a large head has no room.
    fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        most: usize,
    ) -> Poll<io::Result<()>> {
        PIECE_HERE.with_borrow_mut(|here| {
            let mut piece = ReadBuf::new(here.get_mut(..most).unwrap_or_default());
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut piece))?;
            let new = piece.filled_mut();
            self.requests.pass(new);
            self.has_piece = new.len() == PIECE;
            if self.has_room(new.len()) {
                buffer.put_slice(new);
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Counts bytes that were read. A head that is large needs room, and ends the connection where
    /// there is none.
    fn has_room(&self, count: usize) -> bool {
        let untaken = self.activity.read(count);
        if !self.requests.in_head() || self.activity.idle_since().is_none() {
            return true;
        }
        let held = self.activity.head().take();
        self.refuser.room().head(untaken, held).is_some_and(|held| {
            self.activity.head().set(held);
            true
        })
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
    /// Ends where the connection is overdue, or there is no room for a large head.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.has_piece) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.is_ahead() {
            self.activity.wait(cx);
            if ready!(self.stream.poll_waiting(cx)) {
                return Poll::Pending;
            }
        }
        let most = self.activity.may_read(cx).min(buffer.remaining());
        if most == 0 {
            return Poll::Pending;
        }
        let read = self.poll_piece(cx, buffer, most);
        if read.is_pending() {
            ready!(self.poll_overdue(cx));
            return Poll::Ready(Ok(()));
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
