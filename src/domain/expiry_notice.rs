//! Notices of the end of tokens: how long before it each is due, and which one that is.

use std::collections::BTreeSet;
use std::fmt;

use chrono::TimeDelta;

use super::clock::Instant;
use super::id::ApiTokenId;
use super::lifetime::{Lifetime, LifetimeError};
use super::policy::{PolicyDuration, PolicyDurationError};

/// Most times of a list: each of them makes an audit event for every token.
const MOST: usize = 10;
/// The shortest time before the end, in seconds: tokens are looked for no more often.
const LEAST: i32 = 60;

/// A time before the end of a token, in whole seconds; none: the end itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoticeTime(i32);

/// The times at which there is a notice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoticeTimes(BTreeSet<NoticeTime>);

/// A notice of the end of a token. There is never a second one of this time and this end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryNotice {
    /// The token.
    pub token: ApiTokenId,
    /// How long before the end.
    pub time: NoticeTime,
    /// The end: the effective expiry.
    pub expiry: Instant,
}

/// Why a text is not a time before the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeTimeError {
    /// It is no duration that always has the same length.
    #[error(transparent)]
    Duration(#[from] PolicyDurationError),
    /// It is too short.
    #[error("must be 1m or longer, because tokens are looked for once a minute; 0s is the end")]
    TooShort,
}

/// Why times are no list of notices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeTimesError {
    /// One of them is there already, perhaps in another unit.
    #[error("`{0}` is there twice; leave one out")]
    Twice(NoticeTime),
    /// There are too many.
    #[error("has {0} durations; write at most {MOST}")]
    TooMany(usize),
}

impl NoticeTime {
    /// The end itself.
    pub const END: Self = Self(0);

    /// Reads a time, such as `7d` or `0s`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NoticeTimeError> {
        match PolicyDuration::parse(text) {
            Ok(time) if time.seconds() < LEAST => Err(NoticeTimeError::TooShort),
            Ok(time) => Ok(Self(time.seconds())),
            Err(PolicyDurationError::Lifetime(LifetimeError::Zero)) => Ok(Self::END),
            Err(wrong) => Err(wrong.into()),
        }
    }

    /// The time as it is stored: how many seconds. A negative number counts as none.
    pub fn from_seconds(seconds: i32) -> Self {
        Self(seconds.max(0))
    }

    /// How many seconds.
    pub const fn seconds(self) -> i32 {
        self.0
    }

    /// The instant so long after another one; the last one there is, beyond the calendar.
    pub fn after(self, start: Instant) -> Instant {
        start.checked_add_signed(self.delta()).unwrap_or(Instant::MAX_UTC)
    }

    fn delta(self) -> TimeDelta {
        TimeDelta::seconds(self.0.into())
    }
}

/// As people write it.
impl fmt::Display for NoticeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::END { f.write_str("0s") } else { Lifetime::from(self.delta()).fmt(f) }
    }
}

impl NoticeTimes {
    /// All of these times.
    ///
    /// # Errors
    /// When one is there twice, or there are too many.
    pub fn new(times: Vec<NoticeTime>) -> Result<Self, NoticeTimesError> {
        if times.len() > MOST {
            return Err(NoticeTimesError::TooMany(times.len()));
        }
        let mut all = BTreeSet::new();
        for time in times {
            if !all.insert(time) {
                return Err(NoticeTimesError::Twice(time));
            }
        }
        Ok(Self(all))
    }

    /// Are there no notices?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is there a notice at the end itself?
    pub fn has_end(&self) -> bool {
        self.0.contains(&NoticeTime::END)
    }

    /// The longest time before the end.
    pub fn longest(&self) -> Option<NoticeTime> {
        self.0.last().copied()
    }

    /// All times, the shortest first.
    pub fn iter(&self) -> impl Iterator<Item = NoticeTime> {
        self.0.iter().copied()
    }

    /// The notice that is due for a token that ends at `expiry`: of those whose time has come, the
    /// one nearest to the end. So a token that had less time from the start, or whose server was
    /// down, has one notice and not all at once.
    pub fn due(&self, expiry: Instant, now: Instant) -> Option<NoticeTime> {
        self.iter().find(|time| time.after(now) >= expiry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(texts: &[&str]) -> Result<NoticeTimes, NoticeTimesError> {
        NoticeTimes::new(texts.iter().map(|text| NoticeTime::parse(text).unwrap()).collect())
    }

    #[test]
    fn the_nearest_time_that_has_come_is_due() {
        let times = times(&["30d", "7d", "1d", "0s"]).unwrap();
        let now = Instant::UNIX_EPOCH + TimeDelta::days(1_000);
        let micro = TimeDelta::microseconds(1);
        let day = TimeDelta::days(1);
        for (left, due) in [
            (day * 30 + micro, None),
            (day * 30, Some("30 days")),
            (day * 7 + micro, Some("30 days")),
            (day * 7, Some("7 days")),
            (day + micro, Some("7 days")),
            (day, Some("1 day")),
            (micro, Some("1 day")),
            (TimeDelta::zero(), Some("0s")),
            (-day * 900, Some("0s")),
        ] {
            let found = times.due(now + left, now).map(|time| time.to_string());
            assert_eq!(found.as_deref(), due, "{left}");
        }
        assert_eq!(NoticeTimes::default().due(now, now), None);
        assert_eq!(times.due(Instant::MAX_UTC, now), None);
    }

    #[test]
    fn says_what_is_wrong_with_a_time_and_with_a_list() {
        for (text, hint) in [
            ("59s", "1m or longer"),
            ("1500ms", "whole number of seconds"),
            ("1mo", "write days"),
            ("24856d", "24855d"),
            ("7", "write it like"),
            ("-1d", "write it like"),
            ("", "write it like"),
        ] {
            let error = NoticeTime::parse(text).unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
        assert_eq!(
            times(&["7d", "168h"]).unwrap_err().to_string(),
            "`7 days` is there twice; leave one out"
        );
        assert_eq!(
            times(&["0s", "0d"]).unwrap_err().to_string(),
            "`0s` is there twice; leave one out"
        );
        let many: Vec<String> = (1..=11).map(|days| format!("{days}d")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(times(&many).unwrap_err().to_string().contains("at most 10"));
        assert!(times(&many[1..]).is_ok());
    }
}
