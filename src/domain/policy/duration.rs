//! The times of the policy. They always have the same length, so that the database can compare with
//! them: calendar months do not.

use std::fmt;

use chrono::TimeDelta;

use crate::domain::clock::Instant;
use crate::domain::lifetime::{Lifetime, LifetimeError};

/// A whole number of seconds, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyDuration(i32);

/// Why a text is not a duration of the policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyDurationError {
    /// It is no time at all.
    #[error(transparent)]
    Lifetime(#[from] LifetimeError),
    /// It has calendar units in it.
    #[error("years and months differ in length; write days, such as `365d`")]
    Calendar,
    /// It is not a whole number of seconds.
    #[error("must be a whole number of seconds")]
    Fraction,
    /// It is longer than a number of seconds can be.
    #[error("must not be longer than 24855d")]
    TooLong,
}

impl PolicyDuration {
    /// So many seconds; `None` for less than one.
    pub const fn from_seconds(seconds: i32) -> Option<Self> {
        if seconds > 0 { Some(Self(seconds)) } else { None }
    }

    /// Reads a duration, such as `90d` or `12h`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PolicyDurationError> {
        let time = Lifetime::parse(text)?.fixed().ok_or(PolicyDurationError::Calendar)?;
        if time.subsec_nanos() != 0 {
            return Err(PolicyDurationError::Fraction);
        }
        let seconds = i32::try_from(time.num_seconds());
        seconds.ok().and_then(Self::from_seconds).ok_or(PolicyDurationError::TooLong)
    }

    /// How many seconds.
    pub const fn seconds(self) -> i32 {
        self.0
    }

    /// The instant that is so much later; `None` beyond the calendar.
    pub fn after(self, start: Instant) -> Option<Instant> {
        start.checked_add_signed(self.delta())
    }

    /// The instant that is so much earlier; `None` beyond the calendar.
    pub fn before(self, end: Instant) -> Option<Instant> {
        end.checked_sub_signed(self.delta())
    }

    fn delta(self) -> TimeDelta {
        TimeDelta::seconds(self.0.into())
    }
}

/// As people write it, and as it can be read again.
impl fmt::Display for PolicyDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lifetime::from(self.delta()).fmt(f)
    }
}
