//! How long audit events are kept, where they are written to, and which of them tell that tokens end.

use std::path::PathBuf;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta};
use clap::{ArgAction, Args};

use super::value::list;
use crate::domain::expiry_notice::{NoticeTime, NoticeTimes};
use crate::domain::lifetime::Lifetime;

/// The shortest retention. What is removed cannot be brought back, and a slip removes it at the
/// next start: `400m` is minutes. Whoever wants to keep events for less than a month may run
/// `admin prune`.
const LEAST: TimeDelta = TimeDelta::days(30);

/// Settings of the audit events.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Audit events")]
pub struct AuditArgs {
    /// Age from which audit events are removed for good, `30d` or more: `400d`, `13mo`, `2y`. Not
    /// set: none is removed. What `admin audit export` wrote before is kept.
    #[arg(long, env = "TOKENWRIGHT_AUDIT_RETENTION", value_name = "AGE", value_parser = retention)]
    pub audit_retention: Option<Lifetime>,

    /// A file to which every audit event is written, once it is recorded, as a line of JSON; `-` is
    /// standard output. Not set: none is written. SIGHUP opens the file again.
    #[arg(long, env = "TOKENWRIGHT_AUDIT_LOG", value_name = "FILE")]
    pub audit_log: Option<PathBuf>,

    /// How long before the end of a token an audit event tells of it, separated by commas: `0s` or
    /// `1m` and longer, without years and months. `off`: none does.
    #[arg(
        long,
        env = "TOKENWRIGHT_EXPIRY_NOTICES",
        value_name = "DURATION,...",
        default_value = "30d,7d,1d,0s",
        action = ArgAction::Append
    )]
    pub expiry_notices: Vec<NoticeList>,
}

/// Times before the end of tokens, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeList(NoticeTimes);

impl FromStr for NoticeList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().eq_ignore_ascii_case("off") {
            return Ok(Self(NoticeTimes::default()));
        }
        let times = list(text, NoticeTime::parse)?;
        NoticeTimes::new(times).map(Self).map_err(|wrong| wrong.to_string())
    }
}

impl AuditArgs {
    /// When there is a notice of the end of a token. Where the flag is given more than once, the last
    /// one counts.
    pub fn expiry_notices(&self) -> NoticeTimes {
        self.expiry_notices.last().map(|list| list.0.clone()).unwrap_or_default()
    }
}

fn retention(text: &str) -> Result<Lifetime, String> {
    let retention = Lifetime::parse(text).map_err(|error| error.to_string())?;
    let start = DateTime::UNIX_EPOCH;
    match retention.end(start) {
        Some(end) if end - start < LEAST => Err(format!(
            "must be {} days or more, because what is removed cannot be brought back",
            LEAST.num_days()
        )),
        _ => Ok(retention),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_read_or_turned_off() {
        let read = |text: &str| {
            let list = text.parse::<NoticeList>()?;
            Ok::<_, String>(list.0.iter().map(|time| time.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(
            read("7d, 0s,1h,"),
            Ok(vec!["0s".to_owned(), "1h".to_owned(), "7 days".to_owned()])
        );
        for off in ["", " ", "off", "OFF"] {
            assert_eq!(read(off), Ok(Vec::new()), "{off}");
        }
        for (text, hint) in [
            ("7d,off", "`off` "),
            ("7d,,1d", "two commas"),
            ("7d,1mo", "`1mo` years and months differ"),
            ("30s", "`30s` must be 1m or longer"),
            ("1d,24h", "`1 day` is there twice"),
            ("1d,2d,3d,4d,5d,6d,7d,8d,9d,10d,11d", "has 11 durations; write at most 10"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn a_slip_removes_nothing() {
        for text in ["30d", "400d", "1mo", "720h", "2y", "29d 24h"] {
            assert!(retention(text).is_ok(), "{text}");
        }
        for text in ["400m", "400s", "29d", "1d", "719h"] {
            assert!(retention(text).unwrap_err().contains("30 days or more"), "{text}");
        }
        assert!(retention("0d").unwrap_err().contains("longer than 0s"));
        assert!(retention("400").unwrap_err().contains("write it like"));
    }
}
