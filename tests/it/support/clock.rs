//! A clock that a test can move.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;
use tokenwright::domain::clock::{Clock, Instant, SystemClock};

/// The real time, moved by an offset, until it is stopped.
#[derive(Debug, Default)]
pub struct ManualClock {
    offset: AtomicI64,
    stopped: Mutex<Option<Instant>>,
}

impl ManualClock {
    /// It is always this instant, until another one is given.
    pub fn at(instant: Instant) -> Self {
        Self { stopped: Mutex::new(Some(instant)), ..Self::default() }
    }

    /// Moves the time forward.
    pub fn advance(&self, by: TimeDelta) {
        self.offset.fetch_add(by.num_microseconds().unwrap(), Ordering::SeqCst);
    }

    /// From now on it is always this instant.
    pub fn stop_at(&self, instant: Instant) {
        *self.stopped.lock().unwrap() = Some(instant);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        let offset = TimeDelta::microseconds(self.offset.load(Ordering::SeqCst));
        let stopped = *self.stopped.lock().unwrap();
        stopped.unwrap_or_else(|| SystemClock.now() + offset)
    }
}
