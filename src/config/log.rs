//! What is logged, and in which format.

mod filter;

use clap::{Args, ValueEnum};

/// Settings of the log, which goes to standard error.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as
    /// `info,tokenwright=debug`.
    #[arg(
        long,
        env = "TOKENWRIGHT_LOG",
        value_name = "FILTER",
        default_value = "info",
        value_parser = filter::read,
        global = true
    )]
    pub log: String,

    /// The format of log lines.
    #[arg(
        long,
        env = "TOKENWRIGHT_LOG_FORMAT",
        value_enum,
        default_value_t = LogFormat::Text,
        global = true
    )]
    pub log_format: LogFormat,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line.
    Json,
}
