//! How values of settings are read.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A database URL, not yet read: a flag's value is repeated when it cannot be read, and this one
/// may hold a password. `Debug` does not show it.
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

/// A value before its setting reads it: without the white space and the byte order mark that files
/// and editors leave around it.
///
/// # Errors
/// When it contains a line break or another control character.
pub(super) fn cleaned(text: &str) -> Result<&str, &'static str> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.contains(char::is_control) {
        return Err("has a line break or another control character in it; write it in one line");
    }
    Ok(text)
}

/// Is it a URL with a user, who may have a password? It is not repeated, also where none is allowed.
pub(super) fn has_user(text: &str) -> bool {
    text.contains("://") && text.contains('@')
}

/// Reads a switch as containers, shells and people write it.
///
/// # Errors
/// For anything else.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "t" | "y" => Ok(true),
        "false" | "no" | "off" | "0" | "f" | "n" => Ok(false),
        _ => Err("write `true` or `false`".to_owned()),
    }
}

/// The longest duration of a setting.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a duration such as `2s` or `15m`.
fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write it like `500ms`, `2s` or `15m`"))
}

/// Reads a delay, which may be none: `0s`.
pub(super) fn delay(text: &str) -> Result<Duration, String> {
    let delay = duration(text)?;
    if delay <= DAY { Ok(delay) } else { Err("must be 0s to 1day".to_owned()) }
}

/// Reads a timeout. PostgreSQL counts whole milliseconds, and takes 0 for no limit at all.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = duration(text)?;
    if timeout.is_zero() {
        return Err("must be longer than 0s".to_owned());
    }
    let possible = Duration::from_millis(1)..=DAY;
    if possible.contains(&timeout) { Ok(timeout) } else { Err("must be 1ms to 1day".to_owned()) }
}

/// Reads values that are separated by commas; a trailing comma is allowed. They come as one text,
/// because an empty text means an empty list, and clap would split it into one empty element.
pub(super) fn list<T, E: fmt::Display>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, String> {
    let text = text.trim();
    let text = text.strip_suffix(',').unwrap_or(text);
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let parse = |part: &str| match part.trim() {
        "" => Err("there is nothing between two commas; take one away".to_owned()),
        part => parse(part).map_err(|wrong| format!("`{part}` {wrong}")),
    };
    text.split(',').map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_cut_at_its_ends_and_has_one_line() {
        for text in ["a b", " a b ", "a b\n", "a b\r\n", "\u{feff}a b\n", "\t a b \u{a0}"] {
            assert_eq!(cleaned(text), Ok("a b"), "{text:?}");
        }
        assert_eq!(cleaned(" \r\n\t"), Ok(""));
        for text in ["a\nb", "a\tb", "a\0", "a\u{1b}[0m"] {
            assert!(cleaned(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn switches_are_read_as_people_write_them() {
        for (expected, texts) in [
            (true, ["1", "true", "TRUE", "True", "yes", "YES", "on", "On", "t", "Y"]),
            (false, ["0", "false", "FALSE", "False", "no", "NO", "off", "Off", "f", "N"]),
        ] {
            for text in texts {
                assert_eq!(boolean(text), Ok(expected), "{text}");
            }
        }
        for text in ["", "2", "maybe", "truee", "enabled", "-1"] {
            assert!(boolean(text).unwrap_err().contains("`true` or `false`"), "{text}");
        }
    }

    #[test]
    fn a_list_may_end_with_a_comma_and_has_no_gap() {
        let read = |text: &str| list(text, |part| part.parse::<u8>());
        for text in ["1,2", " 1 , 2 ", "1,2,", "1, 2 , "] {
            assert_eq!(read(text), Ok(vec![1, 2]), "{text}");
        }
        for text in ["", " ", ","] {
            assert_eq!(read(text), Ok(Vec::new()), "{text}");
        }
        for text in ["1,,2", ",1", "1,2,,", ", ,"] {
            assert!(read(text).unwrap_err().contains("commas"), "{text}");
        }
        assert!(read("1,x").unwrap_err().starts_with("`x` "));
    }
}
