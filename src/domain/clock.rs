//! The only place that asks for the time.

mod steady;

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};

pub use steady::{ClockReading, ClockTurn, SteadyClock};

/// An instant in UTC, no finer than a microsecond, so that what is read from a database equals what
/// was written to it.
pub type Instant = DateTime<Utc>;

/// An instant as everything that Tokenwright writes has it: RFC 3339, UTC as `Z`, and only as many
/// digits behind the second as it needs.
pub fn written(instant: Instant) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Where the time comes from. Handed in, so that a test can move it.
pub trait Clock: Send + Sync {
    /// The current instant, cut to microseconds.
    fn now(&self) -> Instant;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask")]
    fn now(&self) -> Instant {
        instant(SystemTime::now())
    }
}

/// chrono's own `Utc::now()` panics before 1970, which a machine without a clock may show.
fn instant(time: SystemTime) -> Instant {
    DateTime::<Utc>::from(time).trunc_subsecs(6)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_may_show_a_time_before_1970() {
        let before = SystemTime::UNIX_EPOCH - Duration::new(1, 1_500);
        assert_eq!(written(instant(before)), "1969-12-31T23:59:58.999998Z");
        assert_eq!(instant(SystemTime::UNIX_EPOCH), Instant::UNIX_EPOCH);
    }
}
