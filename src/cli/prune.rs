//! `tokenwright admin prune`.

use chrono::SecondsFormat;
use clap::Args;

use super::output::report;
use super::{CliError, service_config};
use crate::app::{self, StartError};
use crate::config::{DatabaseArgs, TokenArgs};
use crate::domain::clock::{Clock, Instant, SystemClock};
use crate::domain::lifetime::Lifetime;

#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// Age from which audit events, and tokens that were deleted, are removed: `2y`, `6mo`, `90d`.
    #[arg(long, value_name = "AGE", value_parser = Lifetime::parse)]
    older_than: Lifetime,

    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    tokens: TokenArgs,
}

pub(super) async fn run(args: PruneArgs) -> Result<(), CliError> {
    let service = app::service(service_config(&args.database, &args.tokens)?).await?;
    let before = args.older_than.start(SystemClock.now()).unwrap_or(Instant::MIN_UTC);
    let pruned = service.prune(before).await.map_err(StartError::Db)?;
    report(&format!(
        "removed {} audit events and {} deleted tokens from before {}",
        pruned.audit_events,
        pruned.api_tokens,
        before.to_rfc3339_opts(SecondsFormat::Secs, true)
    ));
    Ok(())
}
