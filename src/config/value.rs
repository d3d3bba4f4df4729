//! How values of settings are read.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A database URL, not yet read: a flag's value is repeated when it cannot be read, and this one may
/// hold a password. `Debug` does not show it.
#[derive(Clone)]
pub struct DatabaseUrlText(pub(super) String);

impl FromStr for DatabaseUrlText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for DatabaseUrlText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrlText(..)")
    }
}

/// Reads a duration such as `2s`, `15m` or `90d`.
///
/// # Errors
/// What is wrong with it; nothing is no duration either.
pub fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than 0s".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; write it like `2s`, `15m` or `90d`")),
    }
}

/// Reads a timeout. PostgreSQL counts whole milliseconds, and takes 0 for no limit at all.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = duration(text)?;
    let possible = Duration::from_millis(1)..=Duration::from_secs(24 * 60 * 60);
    if possible.contains(&timeout) { Ok(timeout) } else { Err("must be 1ms to 1day".to_owned()) }
}

/// Reads values that are separated by commas. They come as one text, because an empty one means none,
/// while a list that were taken apart first would have one empty element.
pub(super) fn list<T, E: fmt::Display>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let parts = text.split(',').map(str::trim);
    parts.map(|part| parse(part).map_err(|wrong| format!("`{part}` {wrong}"))).collect()
}
