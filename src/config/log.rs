//! What is logged, and how.

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

    /// The form of each line.
    #[arg(
        long,
        env = "TOKENWRIGHT_LOG_FORMAT",
        value_enum,
        default_value_t = LogFormat::Text,
        global = true
    )]
    pub log_format: LogFormat,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
