//! A clock that a test can move.

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use chrono::TimeDelta;
use tokenwright::domain::clock::{Clock, Instant, SystemClock};

/// The real time, moved by an offset, until it is stopped. The clock of a database that has one of
/// its own follows it, so that a test moves the time of all that it tests at once.
#[derive(Default)]
pub struct ManualClock {
    setting: Mutex<Setting>,
    follower: Mutex<Option<Follower>>,
}

/// What a clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Setting {
    /// How far it is from the real time.
    pub offset: TimeDelta,
    /// What it always shows.
    pub stopped: Option<Instant>,
}

/// Sets another clock.
pub type Follower = Box<dyn Fn(Setting) + Send>;

impl ManualClock {
    /// It is always this instant, until another one is given.
    pub fn at(instant: Instant) -> Self {
        let clock = Self::default();
        clock.stop_at(instant);
        clock
    }

    /// Moves the time, forward or back.
    pub fn advance(&self, by: TimeDelta) {
        self.set(|setting| setting.offset += by);
    }

    /// From now on it is always this instant.
    pub fn stop_at(&self, instant: Instant) {
        self.set(|setting| setting.stopped = Some(instant));
    }

    /// From now on this other clock is set together with it.
    pub fn lead(&self, follower: Follower) {
        let setting = *self.setting();
        follower(setting);
        *self.follower.lock().unwrap() = Some(follower);
    }

    fn set(&self, change: impl Fn(&mut Setting)) {
        change(&mut self.setting());
        let setting = *self.setting();
        if let Some(follower) = self.follower.lock().unwrap().as_ref() {
            follower(setting);
        }
    }

    fn setting(&self) -> MutexGuard<'_, Setting> {
        self.setting.lock().unwrap()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        let Setting { offset, stopped } = *self.setting();
        stopped.unwrap_or_else(|| SystemClock.now() + offset)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setting().fmt(f)
    }
}
