//! An expiry as a client writes it.

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};

use crate::domain::clock::Instant;

/// A requested expiry: an instant, or a text that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestedExpiry(Option<Instant>);

impl RequestedExpiry {
    /// An instant.
    pub const fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// Reads a text of RFC 3339, which is ASCII; chrono would also accept the minus sign U+2212. A
    /// zone is required. Fractions below a microsecond are cut off, and a leap second becomes the
    /// second after it, so that the result is the instant that a database gives back.
    pub fn parse(text: &str) -> Self {
        let read = Some(text).filter(|text| text.is_ascii());
        let instant = read.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let instant = instant.filter(|given| may_be(given.naive_utc()));
        Self(instant.and_then(|given| DateTime::from_timestamp_micros(given.timestamp_micros())))
    }

    /// The instant, if it is one.
    pub const fn instant(self) -> Option<Instant> {
        self.0
    }
}

/// A second 60 ends the last day of a month, in UTC (RFC 3339 section 5.7, ITU-R TF.460-6).
fn may_be(instant: NaiveDateTime) -> bool {
    // As chrono writes it: second 59, and a second more.
    let leaps = instant.nanosecond() >= 1_000_000_000;
    let ends_day = (instant.hour(), instant.minute()) == (23, 59);
    !leaps || ends_day && instant.date().succ_opt().is_none_or(|next| next.day() == 1)
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
        assert_eq!(read("2028-02-29T15:59:60-08:00"), "2028-03-01T00:00:00+00:00");
        assert_eq!(read("1969-12-31T23:59:59.9999999Z"), "1969-12-31T23:59:59.999999+00:00");
    }

    #[test]
    fn what_never_is_is_no_expiry() {
        for text in [
            "2027-01-01T12:00:60Z",
            "2026-12-31T23:58:60Z",
            "2026-12-31T22:59:60Z",
            "2026-12-30T23:59:60Z",
            "2028-02-28T23:59:60Z",
            "2026-12-31T23:59:60+01:00",
            "2027-01-01T00:59:60.5+02:00",
            "2026-12-31T23:59:61Z",
            "2027-01-01T00:00:00\u{2212}08:00",
            "2027-01-01T00:00:00\u{2013}08:00",
            "\u{ff12}027-01-01T00:00:00Z",
            "2027-02-29T00:00:00Z",
        ] {
            assert_eq!(RequestedExpiry::parse(text).instant(), None, "{text:?}");
        }
    }
}
