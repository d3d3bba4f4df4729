//! `tokenwright admin audit`.

mod export;
mod target;

use clap::Subcommand;

use super::CliError;

pub use export::ExportError;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Write every audit event, the oldest first, each as a line of JSON; a server may run.
    Export(export::ExportArgs),
}

pub(super) async fn run(command: AuditCommand) -> Result<(), CliError> {
    match command {
        AuditCommand::Export(args) => export::run(args).await,
    }
}
