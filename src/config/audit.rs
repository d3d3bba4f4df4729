//! How long audit events are kept, and where they are written to.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta};
use clap::Args;

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
