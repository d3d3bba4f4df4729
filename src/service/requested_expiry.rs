//! An expiry as a client writes it.

use chrono::DateTime;

use crate::domain::clock::Instant;

/// An expiry as it was asked for: an instant, or a text that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestedExpiry(Option<Instant>);

impl RequestedExpiry {
    /// An instant.
    pub const fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// Reads a text of RFC 3339. A zone is required; what is finer than a microsecond is cut off, and
    /// a leap second is the second after it. So it is the instant that a database gives back.
    pub fn parse(text: &str) -> Self {
        let instant = DateTime::parse_from_rfc3339(text).ok();
        Self(instant.and_then(|given| DateTime::from_timestamp_micros(given.timestamp_micros())))
    }

    /// The instant, if it is one.
    pub const fn instant(self) -> Option<Instant> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_what_a_database_gives_back() {
        let read = |text: &str| RequestedExpiry::parse(text).instant().unwrap().to_rfc3339();
        let leap = read("2026-12-31T23:59:60Z");
        assert_eq!(leap, "2027-01-01T00:00:00+00:00");
        assert_eq!(read("2027-01-01T01:59:60.5+02:00"), "2027-01-01T00:00:00.500+00:00");
        assert_eq!(read("2027-01-01T00:00:00.1234569Z"), "2027-01-01T00:00:00.123456+00:00");
        assert_eq!(read("1969-12-31T23:59:59.9999999Z"), "1969-12-31T23:59:59.999999+00:00");
    }
}
