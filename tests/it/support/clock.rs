//! A clock that a test can move.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;
use tokenwright::domain::clock::{Clock, Instant, SystemClock};

/// The real time, moved by an offset.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Moves the time forward.
    pub fn advance(&self, by: TimeDelta) {
        self.0
            .fetch_add(by.num_microseconds().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        SystemClock.now() + TimeDelta::microseconds(self.0.load(Ordering::SeqCst))
    }
}
