//! `tokenwright config`: looking at settings without using them.

mod check;
mod example;

use clap::Subcommand;

use super::CliError;
use crate::config::Inspection;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the settings of `serve`: every fault, and where each value comes from.
    Check(Box<check::CheckArgs>),
    /// Print a settings file with every setting, its meaning and its default.
    Example,
}

pub(super) async fn run(
    command: ConfigCommand,
    inspection: Option<Inspection>,
    warnings: Vec<String>,
) -> Result<(), CliError> {
    match command {
        ConfigCommand::Check(args) => check::run(*args, inspection, warnings).await,
        ConfigCommand::Example => example::run(),
    }
}
