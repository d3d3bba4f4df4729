//! The only place that asks for the time.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};

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
        Utc::now().trunc_subsecs(6)
    }
}
