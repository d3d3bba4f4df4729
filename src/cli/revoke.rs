//! `tokenwright admin revoke`: ending what was created before a time, as after a restored backup.

use chrono::{DateTime, Utc};
use clap::Args;

use super::output::report;
use super::{CliError, service_config};
use crate::app;
use crate::config::{DatabaseArgs, TokenArgs};
use crate::domain::clock::{Clock, Instant, SystemClock, written};
use crate::service::Service;

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    /// Disable the tokens that were created before this: `now`, or a time such as
    /// `2027-01-31T12:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = time)]
    created_before: Instant,

    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    tokens: TokenArgs,
}

pub(super) async fn run(args: RevokeArgs) -> Result<(), CliError> {
    let service = app::service(service_config(&args.database, &args.tokens)?).await?;
    disable_created_before(&service, args.created_before).await
}

/// Reads `now`, or a time with its offset.
pub(super) fn time(text: &str) -> Result<Instant, String> {
    if text.eq_ignore_ascii_case("now") {
        return Ok(SystemClock.now());
    }
    let time = DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc));
    time.map_err(|_| "write `now`, or a time such as `2027-01-31T12:00:00Z`".to_owned())
}

/// Disables the tokens that were created before this instant, and reports how many. What is
/// disabled stays so if it ends early; it can be run again.
pub(super) async fn disable_created_before(
    service: &Service,
    before: Instant,
) -> Result<(), CliError> {
    let mut disabled = 0;
    let ended = service.revoke_created_before(before, |count| disabled += count).await;
    let end = match &ended {
        Ok(id) if disabled > 0 => format!(" ({id})"),
        Ok(_) => String::new(),
        Err(_) => ", and then failed: run it again".to_owned(),
    };
    let before = written(before);
    report(&format!("disabled {disabled} tokens that were created before {before}{end}"));
    Ok(ended.map(drop)?)
}
