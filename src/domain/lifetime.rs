//! How long a token lives, counted as people count: in years and months of the calendar, and in
//! days.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Months, TimeDelta};

use super::clock::Instant;

/// A span of time that may have calendar units in it: where `2y` ends depends on where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    months: u32,
    rest: TimeDelta,
}

/// Why a text is not a lifetime.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeError {
    /// It is no time at all.
    #[error("must be longer than 0s")]
    Zero,
    /// It is longer than a century.
    #[error("must not be longer than 100y")]
    TooLong,
    /// It has the unit `M`, which may mean months or minutes.
    #[error("`M` may mean months or minutes; write `mo` for months, `m` for minutes")]
    Ambiguous,
    /// It has another form; what is wrong with it.
    #[error("{0}; write it like `90d`, `6mo` or `2y`")]
    Syntax(String),
}

/// A century is enough, and stays within what an instant can hold.
const MOST: Months = Months::new(1_200);

impl Lifetime {
    /// Reads a lifetime: numbers with units, such as `90d`, `1y6mo` or `1h30m`. `y` and `mo` are
    /// years and months of the calendar; `w`, `d`, `h`, `m` (minutes) and `s` always have the same
    /// length.
    ///
    /// # Errors
    /// What is wrong with it; a lifetime of nothing is an error too.
    pub fn parse(text: &str) -> Result<Self, LifetimeError> {
        let (mut months, mut rest, mut left) = (0, String::new(), text);
        while let Some((number, unit, after)) = first_part(left) {
            match unit {
                "y" | "yr" | "yrs" | "year" | "years" => months = add(months, number, 12)?,
                "mo" | "mos" | "month" | "months" => months = add(months, number, 1)?,
                "M" => return Err(LifetimeError::Ambiguous),
                _ => rest.push_str(&format!("{number}{unit} ")),
            }
            left = after;
        }
        // humantime would take a fraction, which means nothing in calendar units.
        if !left.trim().is_empty() {
            return Err(LifetimeError::Syntax(format!(
                "`{left}` is not a whole number and a unit"
            )));
        }
        let rest = match rest.trim() {
            "" if !text.trim().is_empty() => Duration::ZERO,
            rest => humantime::parse_duration(rest)
                .map_err(|error| LifetimeError::Syntax(error.to_string()))?,
        };
        if months == 0 && rest.is_zero() {
            return Err(LifetimeError::Zero);
        }
        let rest = TimeDelta::from_std(rest).map_err(|_| LifetimeError::TooLong)?;
        Self { months, rest }.bounded()
    }

    /// Where a lifetime that begins at this instant ends; `None` beyond the calendar. Where the
    /// last month lacks the day of the start, it ends on the last day of that month.
    pub fn end(self, start: Instant) -> Option<Instant> {
        start.checked_add_months(Months::new(self.months))?.checked_add_signed(self.rest)
    }

    /// The instant that it reaches back to from `end`; `None` if that is beyond the calendar.
    pub fn start(self, end: Instant) -> Option<Instant> {
        end.checked_sub_months(Months::new(self.months))?.checked_sub_signed(self.rest)
    }

    /// The same as a time that always has the same length; `None` if there are months in it.
    pub const fn fixed(self) -> Option<TimeDelta> {
        if self.months == 0 { Some(self.rest) } else { None }
    }

    fn bounded(self) -> Result<Self, LifetimeError> {
        let start = DateTime::UNIX_EPOCH;
        let most = start.checked_add_months(MOST);
        match self.end(start) {
            Some(end) if Some(end) <= most => Ok(self),
            _ => Err(LifetimeError::TooLong),
        }
    }
}

impl From<TimeDelta> for Lifetime {
    fn from(rest: TimeDelta) -> Self {
        Self { months: 0, rest }
    }
}

/// For people: in whole years, months and days where it is that, else down to its smallest unit.
impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.rest.num_days();
        let (days, rest) = if self.rest == TimeDelta::days(days) {
            (days, None)
        } else {
            (0, Some(humantime::format_duration(self.rest.to_std().unwrap_or_default())))
        };
        let counted = [
            (i64::from(self.months / 12), "year"),
            (i64::from(self.months % 12), "month"),
            (days, "day"),
        ];
        let counted = counted.iter().filter(|(count, _)| *count > 0);
        let mut parts: Vec<String> = counted
            .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
            .collect();
        parts.extend(rest.map(|rest| rest.to_string()));
        f.write_str(&parts.join(" "))
    }
}

/// A number, its unit and what follows.
fn first_part(text: &str) -> Option<(&str, &str, &str)> {
    let (number, after) = split_while(text, |c| c.is_ascii_digit());
    let (unit, after) = split_while(after, |c| c.is_ascii_alphabetic());
    (!number.is_empty() && !unit.is_empty()).then_some((number, unit, after))
}

/// The first characters, past white space, for which this holds, and the others.
fn split_while(text: &str, holds: impl Fn(char) -> bool) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(|c| !holds(c)).unwrap_or(text.len()))
}

fn add(months: u32, number: &str, factor: u32) -> Result<u32, LifetimeError> {
    let number: u32 = number.parse().map_err(|_| LifetimeError::TooLong)?;
    let more = number.checked_mul(factor);
    more.and_then(|more| months.checked_add(more)).ok_or(LifetimeError::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str, start: &str) -> String {
        let start: Instant = start.parse().unwrap();
        Lifetime::parse(text).unwrap().end(start).unwrap().to_rfc3339()
    }

    #[test]
    fn years_and_months_are_those_of_the_calendar() {
        for (text, start, expected) in [
            ("2y", "2027-01-01T12:00:00Z", "2029-01-01T12:00:00+00:00"),
            ("1y", "2028-02-29T00:00:00Z", "2029-02-28T00:00:00+00:00"),
            ("24mo", "2027-03-01T00:00:00Z", "2029-03-01T00:00:00+00:00"),
            ("1mo", "2027-01-31T00:00:00Z", "2027-02-28T00:00:00+00:00"),
            ("1 year 6 months 1d", "2027-01-01T00:00:00Z", "2028-07-02T00:00:00+00:00"),
            ("730d", "2027-01-01T00:00:00Z", "2028-12-31T00:00:00+00:00"),
            ("6m", "2027-01-01T00:00:00Z", "2027-01-01T00:06:00+00:00"),
            ("1h30m", "2027-01-01T00:00:00Z", "2027-01-01T01:30:00+00:00"),
            ("2weeks", "2027-01-01T00:00:00Z", "2027-01-15T00:00:00+00:00"),
            ("100y", "2027-01-01T00:00:00Z", "2127-01-01T00:00:00+00:00"),
        ] {
            assert_eq!(end(text, start), expected, "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, hint) in [
            ("", "write it like `90d`"),
            ("0d", "longer than 0s"),
            ("0y", "longer than 0s"),
            ("101y", "100y"),
            ("36526d", "100y"),
            ("99y13mo", "100y"),
            ("18446744073709551616y", "100y"),
            ("4294967296mo", "100y"),
            ("999999999999999d", "write it like"),
            ("6M", "`mo` for months"),
            ("90", "write it like"),
            ("2y6", "write it like"),
            ("2y 1x", "write it like"),
            ("-2y", "write it like"),
            ("1.5y", "write it like"),
            ("P90D", "write it like"),
            ("never", "write it like"),
            ("٩٠d", "write it like"),
        ] {
            let error = Lifetime::parse(text).unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn is_shown_for_people() {
        for (text, expected) in [
            ("2y", "2 years"),
            ("1y1mo1d", "1 year 1 month 1 day"),
            ("18mo", "1 year 6 months"),
            ("730d", "730 days"),
            ("24h", "1 day"),
            ("12h", "12h"),
            ("2165m", "1day 12h 5m"),
            ("1y12h", "1 year 12h"),
        ] {
            assert_eq!(Lifetime::parse(text).unwrap().to_string(), expected, "{text}");
        }
    }
}
