//! What a connection is at: whether a request is being answered, and how much was read that nobody
//! has taken yet.
//!
//! The HTTP library reads whatever comes, up to 128 KiB, before it looks at it, and keeps a body of
//! many small chunks as as many pieces. So it gets a few kilobytes at a time, no more of a body than
//! a handler takes, and of the next request only what came with the one that is being answered.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Waker};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// Bytes that are read at a time, and that may wait for a handler.
pub(super) const PIECE: usize = 2 * 1024;

/// What one connection is at.
#[derive(Clone)]
pub(in crate::http) struct Activity(Rc<State>);

struct State {
    /// Since when no request is being answered; `None` while one is.
    idle_since: Cell<Option<Instant>>,
    /// What keeps it busy: a request that is being answered, and a socket that it became.
    busy: Cell<usize>,
    /// It ends as soon as what is under way is written.
    has_ended: Cell<bool>,
    /// Bytes that the library was given, less those that were taken.
    untaken: Cell<usize>,
    /// Waits until a handler takes something.
    reader: Cell<Option<Waker>>,
    /// Room for a large head, until its request is answered.
    head: Cell<Option<OwnedSemaphorePermit>>,
}

impl Default for Activity {
    fn default() -> Self {
        Self(Rc::new(State {
            idle_since: Cell::new(Some(Instant::now())),
            busy: Cell::default(),
            has_ended: Cell::default(),
            untaken: Cell::default(),
            reader: Cell::default(),
            head: Cell::default(),
        }))
    }
}

impl Activity {
    /// Since when no request is being answered; `None` while one is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        self.0.idle_since.get()
    }

    /// How many bytes may be read now. None: a handler has to take something first, and then wakes
    /// the reader.
    pub(super) fn may_read(&self, reader: &Context<'_>) -> usize {
        if self.idle_since().is_some() {
            return PIECE;
        }
        let room = PIECE.saturating_sub(self.0.untaken.get());
        if room == 0 {
            self.wait(reader);
        }
        room
    }

    /// Wakes the reader when a handler takes something, or has answered.
    pub(super) fn wait(&self, reader: &Context<'_>) {
        self.0.reader.set(Some(reader.waker().clone()));
    }

    /// Counts bytes that were read: how many are not taken yet.
    pub(super) fn read(&self, bytes: usize) -> usize {
        let untaken = self.0.untaken.get() + bytes;
        self.0.untaken.set(untaken);
        untaken
    }

    /// A handler has taken all that was read.
    pub(super) fn taken(&self) {
        self.0.untaken.set(0);
        if let Some(reader) = self.0.reader.take() {
            reader.wake();
        }
    }

    /// The room for a large head, to be exchanged.
    pub(super) fn head(&self) -> &Cell<Option<OwnedSemaphorePermit>> {
        &self.0.head
    }

    /// Keeps the connection until what is returned is dropped.
    pub(in crate::http) fn begin(self) -> Busy {
        self.0.busy.set(self.0.busy.get() + 1);
        self.0.idle_since.set(None);
        self.taken();
        Busy(self)
    }

    /// Nothing more is read, and nothing that cannot be written at once.
    pub(in crate::http) fn end(&self) {
        self.0.has_ended.set(true);
        self.taken();
    }

    /// Must it end now?
    pub(super) fn has_ended(&self) -> bool {
        self.0.has_ended.get()
    }
}

/// Marks a connection as busy until it is dropped.
pub(in crate::http) struct Busy(Activity);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.head.take();
        let left = self.0.0.busy.get().saturating_sub(1);
        self.0.0.busy.set(left);
        if left > 0 {
            return;
        }
        self.0.0.idle_since.set(Some(Instant::now()));
        self.0.taken();
    }
}

/// Wraps every request: its head has arrived.
pub(in crate::http) async fn busy_connection(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let activity = request.request().conn_data::<Activity>().cloned();
    let _busy = activity.map(Activity::begin);
    next.call(request).await
}
