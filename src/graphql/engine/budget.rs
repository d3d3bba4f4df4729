//! What the answer to one request may cost: its values, its bytes, and the memory that it takes
//! until it is sent. Every field that is resolved draws from the budget of its request, in the one
//! place that all fields pass, and so does every row that is read.

mod cost;
mod room;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_graphql::Value;
use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::task::coop::{consume_budget, has_budget_remaining};
use tokio::task::yield_now;

pub(in crate::graphql) use self::cost::Held;
pub(super) use self::room::{Reservation, Room, Share};
use super::limits::{MAX_ANSWER_BYTES, MAX_ANSWER_MEMORY, MAX_ANSWER_VALUES, MAX_FIELD_ERRORS};

/// Bytes of a value in the engine's own tree, besides its text.
const VALUE: usize = 160;
/// Bytes of a field that is being resolved and has fields below it.
const OPEN: usize = 2 * 1024;
/// Values for which a request uses up one of the 128 shares of its turn on the worker.
const VALUES_A_SHARE: usize = 64;

/// The budget of one request.
pub(in crate::graphql) struct Budget {
    share: Share,
    reservation: Mutex<Option<Reservation>>,
    /// Bytes that are reserved.
    reserved: AtomicUsize,
    /// The reservation covers the costliest answer that the operation can have.
    is_paid: bool,
    values: AtomicUsize,
    bytes: AtomicUsize,
    rows: AtomicUsize,
    open: AtomicUsize,
    errors: AtomicUsize,
    overdrawn: OnceLock<Overdrawn>,
    ended: Notify,
}

/// The budget as the data of a request.
pub(in crate::graphql) type SharedBudget = Arc<Budget>;

/// Why an execution cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graphql) enum Overdrawn {
    /// The answer is larger than any may be.
    Limit,
    /// There is no room for so many bytes at the moment.
    Room(usize),
}

/// A field that is being resolved.
pub(super) struct Open<'a>(&'a Budget);

impl Budget {
    /// Starts with what is reserved, and reserves more as the answer grows.
    pub(super) fn growing(share: Share, reservation: Reservation) -> Self {
        Self::new(share, reservation, false)
    }

    /// For an operation whose costliest answer the reservation covers.
    pub(super) fn paid(share: Share, reservation: Reservation) -> Self {
        Self::new(share, reservation, true)
    }

    fn new(share: Share, reservation: Reservation, is_paid: bool) -> Self {
        Self {
            share,
            reserved: reservation.bytes().into(),
            reservation: Mutex::new(Some(reservation)),
            is_paid,
            values: AtomicUsize::default(),
            bytes: AtomicUsize::default(),
            rows: AtomicUsize::default(),
            open: AtomicUsize::default(),
            errors: AtomicUsize::default(),
            overdrawn: OnceLock::new(),
            ended: Notify::new(),
        }
    }

    /// Draws what a resolved field adds to the fields below it.
    pub(in crate::graphql) fn draw(&self, value: &Value) {
        let (values, bytes) = cost::of_field(value);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let before = self.values.fetch_add(values, Ordering::Relaxed);
        let shares = (before + values) / VALUES_A_SHARE - before / VALUES_A_SHARE;
        for _ in 0..shares {
            // Polled once: where the turn is over, the next field with fields below it waits.
            let _used_up = consume_budget().now_or_never();
        }
        self.settle();
    }

    /// Draws a row that was read.
    pub(in crate::graphql) fn hold(&self, row: &impl Held) -> Result<(), Overdrawn> {
        self.rows.fetch_add(row.held(), Ordering::Relaxed);
        self.settle();
        self.overdrawn.get().map_or(Ok(()), |overdrawn| Err(*overdrawn))
    }

    /// Draws a field with fields below it, until its end.
    pub(super) fn open(&self) -> Open<'_> {
        self.open.fetch_add(OPEN, Ordering::Relaxed);
        self.settle();
        Open(self)
    }

    /// May the answer grow beyond what was reserved at first?
    pub(in crate::graphql) const fn may_grow(&self) -> bool {
        !self.is_paid
    }

    /// May another error be reported? Further ones are not even made.
    pub(in crate::graphql) fn reports(&self) -> bool {
        self.errors.fetch_add(1, Ordering::Relaxed) < MAX_FIELD_ERRORS
    }

    /// Reserves more where it is needed, or ends the execution.
    fn settle(&self) {
        if self.is_paid || self.is_overdrawn() {
            return;
        }
        let memory = self.memory();
        let is_too_large = self.values.load(Ordering::Relaxed) > MAX_ANSWER_VALUES
            || self.bytes() > MAX_ANSWER_BYTES
            || memory > MAX_ANSWER_MEMORY;
        if is_too_large {
            return self.end(Overdrawn::Limit);
        }
        if memory <= self.reserved.load(Ordering::Relaxed) {
            return;
        }
        match self.share.try_reserve(memory) {
            Some(larger) => {
                self.reserved.store(larger.bytes(), Ordering::Relaxed);
                *self.reservation.lock().unwrap_or_else(PoisonError::into_inner) = Some(larger);
            }
            None => self.end(Overdrawn::Room(memory)),
        }
    }

    fn memory(&self) -> usize {
        let values = self.values.load(Ordering::Relaxed) * VALUE;
        let held = self.rows.load(Ordering::Relaxed) + self.open.load(Ordering::Relaxed);
        // As text in the tree, and as JSON.
        values + 2 * self.bytes() + held
    }

    fn end(&self, overdrawn: Overdrawn) {
        if self.overdrawn.set(overdrawn).is_ok() {
            self.ended.notify_waiters();
        }
    }

    /// Must the execution end?
    pub(in crate::graphql) fn is_overdrawn(&self) -> bool {
        self.overdrawn.get().is_some()
    }

    /// Waits until the execution must end.
    pub(super) async fn overdrawn(&self) -> Overdrawn {
        loop {
            let ended = self.ended.notified();
            if let Some(overdrawn) = self.overdrawn.get() {
                return *overdrawn;
            }
            ended.await;
        }
    }

    /// About how many bytes of JSON the answer has.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The room of the answer, which is taken once.
    pub(super) fn take_reservation(&self) -> Option<Reservation> {
        self.reservation.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(OPEN, Ordering::Relaxed);
    }
}

/// Waits for the next turn on the worker where this one is used up.
pub(in crate::graphql) async fn turn() {
    while !has_budget_remaining() {
        yield_now().await;
    }
}
