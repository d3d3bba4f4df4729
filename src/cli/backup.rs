//! `tokenwright admin backup`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::time::interval;

use super::CliError;
use super::output::report;
use crate::config::DatabaseArgs;
use crate::db::{Backup, migration_state};

/// How often a terminal shows how far it is.
const TICK: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file that is made; it must not exist.
    file: PathBuf,

    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: BackupArgs) -> Result<(), CliError> {
    let BackupArgs { file, database } = args;
    let url = database.url()?;
    let begin = {
        let (url, file) = (url.clone(), file.clone());
        move || Backup::begin(&url, &file)
    };
    let begun = tokio::task::spawn_blocking(begin).await.map_err(std::io::Error::other)??;
    let (backup, _removed_unless_finished) = begun;
    // What is no database of ours, or none at all, is refused.
    migration_state(&url).await?;
    let (part, size) = backup.progress();
    let mut running = tokio::task::spawn_blocking(move || backup.run());
    let mut ticks = interval(TICK);
    let shown = std::io::stderr().is_terminal();
    let written = loop {
        tokio::select! {
            done = &mut running => break done.map_err(std::io::Error::other)?,
            _ = ticks.tick(), if shown => show(&part, size),
        }
    };
    if shown {
        let _nobody_listens = std::io::stderr().write_all(b"\r\x1b[K");
    }
    report(&format!(
        "the backup {} has {} bytes and was checked; it holds the hashes of all secrets, so keep \
         it as safe as the database",
        file.display(),
        written?
    ));
    Ok(())
}

/// What is left after the copying is checking it.
fn show(part: &Path, size: u64) {
    let done = part.metadata().map_or(0, |file| file.len());
    let percent = done.saturating_mul(100).checked_div(size).unwrap_or(100).min(100);
    let line = format!("\rtokenwright: {percent} % copied, {} MiB", done / (1024 * 1024));
    let _nobody_listens = std::io::stderr().write_all(line.as_bytes());
}
