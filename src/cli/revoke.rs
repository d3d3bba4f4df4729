//! `tokenwright admin revoke`: ending what was created before a time, as after a restored backup.

use chrono::{DateTime, Utc};
use clap::Args;

use super::existing_token::switch;
use super::output::report;
use super::{CliError, service_config};
use crate::app;
use crate::config::{DatabaseArgs, TokenArgs};
use crate::domain::api_token::ApiTokenStatus;
use crate::domain::clock::{Clock, Instant, SystemClock, written};
use crate::domain::filter::ApiTokenFilter;
use crate::domain::order::{ApiTokenOrder, ApiTokenOrderField, Direction};
use crate::domain::page::{PageArguments, PageRequest};
use crate::domain::policy::Policy;
use crate::domain::principal::Principal;
use crate::service::{ReadError, Service, UpdateApiTokenError, Wanted};

/// Tokens that are read at once.
const PAGE: i32 = 100;

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

/// Disables the tokens that can be used and were created before this instant, the oldest first,
/// and reports how many. What is disabled stays so if it ends early; it can be run again.
pub(super) async fn disable_created_before(
    service: &Service,
    before: Instant,
) -> Result<(), CliError> {
    let mut disabled = 0;
    let ended = disable(service, before, &mut disabled).await;
    let so_far = if ended.is_ok() { "" } else { ", and then failed: run it again" };
    let before = written(before);
    report(&format!("disabled {disabled} tokens that were created before {before}{so_far}"));
    ended
}

async fn disable(service: &Service, before: Instant, disabled: &mut usize) -> Result<(), CliError> {
    let order =
        ApiTokenOrder { field: ApiTokenOrderField::CreationDate, direction: Direction::Ascending };
    let filter =
        ApiTokenFilter { status: vec![ApiTokenStatus::Active], ..ApiTokenFilter::default() };
    // What a policy refuses now may work again.
    let policy = Policy::default();
    let asked = PageArguments { first: Some(PAGE), ..PageArguments::default() };
    loop {
        // Those before are disabled, so the first page is always another one.
        let page = PageRequest::check(order, &asked).map_err(|_| ReadError::NotFound)?;
        let rows = Wanted { rows: true, has_previous: false, has_next: false, total: false };
        let listed =
            service.list_api_tokens(&Principal::Operator, &policy, &filter, &page, rows).await?;
        let old = listed.page.rows.into_iter().map(|row| row.value);
        let old: Vec<_> = old.take_while(|token| token.creation_date < before).collect();
        if old.is_empty() {
            return Ok(());
        }
        for token in old {
            match switch(service, token.id, false, false).await {
                // A server may have deleted it since it was listed.
                Err(CliError::UpdateToken(UpdateApiTokenError::NotFound)) => {}
                switched => {
                    switched?;
                    *disabled += 1;
                }
            }
        }
    }
}
