//! `tokenwright admin restore`.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use clap::Args;

use super::CliError;
use super::output::report;
use super::revoke::{disable_created_before, time};
use super::service_config;
use crate::app;
use crate::config::{DatabaseArgs, TokenArgs};
use crate::db::{Restoration, migrate};
use crate::domain::clock::Instant;

/// What must be decided.
const QUESTION: &str = "tokens that were deleted or disabled after the backup was made would work \
    again: the backup does not know what came after it";
const CHOICE: &str = "`--revoke-created-before now` disables every token in it, and \
    `--revoke-created-before TIME` those that were created before then (`tokenwright admin \
    enable-token` enables what you still need); `--revoke-nothing` accepts it";

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The backup, as `tokenwright admin backup` made it.
    file: PathBuf,

    /// Disable the tokens that were created before this: `now`, or a time such as
    /// `2027-01-31T12:00:00Z`. What was deleted or disabled since the backup cannot be used again.
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "revoke_nothing")]
    revoke_created_before: Option<Instant>,

    /// Accept that tokens which were deleted or disabled since the backup work again.
    #[arg(long)]
    revoke_nothing: bool,

    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    tokens: TokenArgs,
}

pub(super) async fn run(args: RestoreArgs) -> Result<(), CliError> {
    let RestoreArgs { file, revoke_created_before, revoke_nothing, database, tokens } = args;
    let before = match (revoke_created_before, revoke_nothing) {
        (None, false) => {
            tokio::task::spawn_blocking(ask).await.map_err(std::io::Error::other)??
        }
        (before, _) => before,
    };
    let mut config = service_config(&database, &tokens)?;
    let url = config.database.clone();
    let begin = move || Restoration::begin(&url, &file);
    let begun = tokio::task::spawn_blocking(begin).await.map_err(std::io::Error::other)?;
    let restoration = begun?;
    let copy = restoration.copy();
    let applied = migrate(&copy).await?;
    if applied > 0 {
        report(&format!("the backup is older than this version: applied {applied} migration(s)"));
    }
    if let Some(before) = before {
        config.database = copy;
        let service = app::service(config).await?;
        disable_created_before(&service, before).await?;
        service.close().await;
    }
    let finish = move || restoration.finish();
    let kept = tokio::task::spawn_blocking(finish).await.map_err(std::io::Error::other)??;
    if let Some(kept) = kept {
        report(&format!("the database that was there is now {}", kept.display()));
    }
    report("the backup was restored; start the server");
    Ok(())
}

/// Asks at a terminal; elsewhere nobody answers.
fn ask() -> Result<Option<Instant>, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::Undecided(format!("{QUESTION}. Decide: {CHOICE}")));
    }
    report(&format!("{QUESTION}. {CHOICE}."));
    report("disable the tokens that were created before (`now`, a time, or `nothing`):");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    match line.trim() {
        "nothing" => Ok(None),
        text => time(text).map(Some).map_err(CliError::Undecided),
    }
}
