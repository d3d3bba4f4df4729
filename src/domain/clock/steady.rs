//! The time that decides, which never goes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta};

use super::{Clock, Instant};

/// A clock that is behind by less than this is not worth a line in the log: time servers correct
/// clocks in small steps, and an answer of the database may be late.
const WORTH_TELLING: TimeDelta = TimeDelta::seconds(10);

/// The time by which expiry is judged. It follows the clock that decides, which may be that of the
/// database, and stays where it is while that clock shows an earlier time than was seen before. So
/// no expired token comes to life because a clock was set back. It never shows a time before 1970.
pub struct SteadyClock {
    own: Arc<dyn Clock>,
    /// By how much the clock that decides is ahead of our own, in microseconds.
    ahead: AtomicI64,
    /// The latest time that was seen, in microseconds since 1970.
    latest: AtomicI64,
    /// Was the clock behind when it was last read?
    behind: AtomicBool,
}

/// What was read from the clock that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// Our own time right before the reading.
    pub own: Instant,
    /// The time of the clock that decides.
    pub time: Instant,
    /// The latest time that the database was told before.
    pub mark: Instant,
}

/// A change of the clock that is worth a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockTurn {
    /// It shows an earlier time than was seen before, by this much.
    Back(TimeDelta),
    /// It is no longer behind.
    CaughtUp,
}

impl SteadyClock {
    /// Follows this clock until another one is read.
    pub fn new(own: Arc<dyn Clock>) -> Self {
        Self { own, ahead: AtomicI64::new(0), latest: AtomicI64::new(0), behind: false.into() }
    }

    /// What our own clock says, right or wrong.
    pub fn own(&self) -> Instant {
        self.own.now()
    }

    /// The latest time that was seen.
    pub fn latest(&self) -> Instant {
        instant(self.latest.load(Ordering::Relaxed))
    }

    /// Takes a reading in: the time that decides, and what is to be told of it.
    pub fn read(&self, reading: ClockReading) -> (Instant, Option<ClockTurn>) {
        let ClockReading { own, time, mark } = reading;
        let ahead = (time - own).num_microseconds().unwrap_or_default();
        self.ahead.store(ahead, Ordering::Relaxed);
        let seen = time.max(mark).timestamp_micros();
        let latest = instant(self.latest.fetch_max(seen, Ordering::Relaxed).max(seen));
        let back = latest - time;
        let behind = back >= WORTH_TELLING;
        let turn = match (self.behind.swap(behind, Ordering::Relaxed), behind) {
            (false, true) => Some(ClockTurn::Back(back)),
            (true, false) => Some(ClockTurn::CaughtUp),
            (false, false) | (true, true) => None,
        };
        (latest, turn)
    }
}

impl Clock for SteadyClock {
    /// The time that decides, as far as it is known without asking: our own time, corrected by the
    /// last reading.
    fn now(&self) -> Instant {
        let ahead = TimeDelta::microseconds(self.ahead.load(Ordering::Relaxed));
        let own = self.own.now();
        own.checked_add_signed(ahead).unwrap_or(own).max(self.latest())
    }
}

fn instant(micros: i64) -> Instant {
    DateTime::from_timestamp_micros(micros).unwrap_or(Instant::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Set(Mutex<Instant>);

    impl Clock for Set {
        fn now(&self) -> Instant {
            *self.0.lock().unwrap()
        }
    }

    fn at(seconds: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn reading(own: i64, time: i64, mark: i64) -> ClockReading {
        ClockReading { own: at(own), time: at(time), mark: at(mark) }
    }

    #[test]
    fn time_never_goes_back_and_says_so_once() {
        let own = Arc::new(Set(Mutex::new(at(1_000))));
        let clock = SteadyClock::new(own.clone());
        assert_eq!(clock.now(), at(1_000));
        // The clock that decides is ahead of our own.
        assert_eq!(clock.read(reading(1_000, 1_060, 0)), (at(1_060), None));
        *own.0.lock().unwrap() = at(1_001);
        assert_eq!(clock.now(), at(1_061));
        // It is set back, first a little, then by much.
        assert_eq!(clock.read(reading(1_001, 1_051, 0)), (at(1_060), None));
        let back = Some(ClockTurn::Back(TimeDelta::seconds(1_050)));
        assert_eq!(clock.read(reading(1_001, 10, 0)), (at(1_060), back));
        assert_eq!(clock.read(reading(1_001, 11, 0)), (at(1_060), None));
        assert_eq!(clock.now(), at(1_060));
        assert_eq!(clock.read(reading(1_001, 1_062, 0)), (at(1_062), Some(ClockTurn::CaughtUp)));
        // Another process has seen a later time.
        let back = Some(ClockTurn::Back(TimeDelta::seconds(100)));
        assert_eq!(clock.read(reading(1_001, 1_900, 2_000)), (at(2_000), back));
        assert_eq!(clock.latest(), at(2_000));
    }

    #[test]
    fn a_time_before_1970_counts_as_1970() {
        let clock = SteadyClock::new(Arc::new(Set(Mutex::new(at(-1_000_000)))));
        assert_eq!(clock.now(), at(0));
        let (now, turn) = clock.read(reading(-1_000_000, -1_000_000, 0));
        assert_eq!((now, turn.is_some()), (at(0), true));
    }
}
