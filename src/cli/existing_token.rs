//! Ending and enabling tokens that exist, as the operator.

use clap::Args;

use super::output::report;
use super::{CliError, service_config};
use crate::app;
use crate::config::{DatabaseArgs, TokenArgs};
use crate::domain::id::ApiTokenId;
use crate::domain::principal::{Origin, Principal};
use crate::service::{
    DeleteApiToken, ReadError, Service, UpdateApiToken, UpdateApiTokenError, UpdatedApiToken,
};

/// How often a change starts again because the token has changed since it was read.
const ATTEMPTS: usize = 10;

/// Which token.
#[derive(Debug, Args)]
pub(super) struct TokenIdArgs {
    /// The id of the token, `tok_...`.
    id: ApiTokenId,

    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    tokens: TokenArgs,
}

/// Which token, and whether what came of it shares its fate.
#[derive(Debug, Args)]
pub(super) struct LineArgs {
    /// Also all that came of the token: the tokens that it made, that renewed it, and theirs in
    /// turn, to any depth. For very many, raise `--database-statement-timeout` on PostgreSQL.
    #[arg(long)]
    descendants: bool,

    #[command(flatten)]
    token: TokenIdArgs,
}

pub(super) async fn delete(args: LineArgs) -> Result<(), CliError> {
    let LineArgs { descendants, token: TokenIdArgs { id, database, tokens } } = args;
    let service = app::service(service_config(&database, &tokens)?).await?;
    let wanted = DeleteApiToken { id, version: None, descendants };
    let deleted =
        service.delete_api_token(&Principal::Operator, &Origin::default(), wanted).await?;
    let name = deleted.user.name;
    report(&format!("deleted {id} `{name}`{}", and(descendants, deleted.descendants)));
    Ok(())
}

pub(super) async fn disable(args: LineArgs) -> Result<(), CliError> {
    let LineArgs { descendants, token: TokenIdArgs { id, database, tokens } } = args;
    let service = app::service(service_config(&database, &tokens)?).await?;
    let updated = switch(&service, id, false, descendants).await?;
    let name = updated.token.name;
    report(&format!("disabled {id} `{name}`{}", and(descendants, updated.descendants)));
    Ok(())
}

pub(super) async fn enable(args: TokenIdArgs) -> Result<(), CliError> {
    let TokenIdArgs { id, database, tokens } = args;
    let service = app::service(service_config(&database, &tokens)?).await?;
    let updated = switch(&service, id, true, false).await?;
    report(&format!("enabled {id} `{}`", updated.token.name));
    Ok(())
}

/// All faults of a change, one per line.
pub(super) fn describe(error: &UpdateApiTokenError) -> String {
    match error {
        UpdateApiTokenError::Refused(faults) => {
            faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

/// How many descendants share the fate of a token.
fn and(descendants: bool, count: usize) -> String {
    if descendants { format!(" and {count} descendants") } else { String::new() }
}

/// Enables or disables a token at whatever version it is.
pub(super) async fn switch(
    service: &Service,
    id: ApiTokenId,
    enabled: bool,
    descendants: bool,
) -> Result<UpdatedApiToken, CliError> {
    let (operator, origin) = (Principal::Operator, Origin::default());
    let mut attempt = 1;
    loop {
        let token = service.api_token(&operator, id).await.map_err(|error| match error {
            ReadError::NotFound => UpdateApiTokenError::NotFound,
            ReadError::Failed(failure) => UpdateApiTokenError::Failed(failure),
        })?;
        let wanted = UpdateApiToken {
            id,
            version: token.version,
            name: None,
            description: None,
            labels: None,
            enabled: Some(enabled),
            permissions: None,
            allowed_addresses: None,
            expiry: None,
            descendants,
        };
        match service.update_api_token(&operator, &origin, wanted).await {
            Err(UpdateApiTokenError::Stale { .. }) if attempt < ATTEMPTS => attempt += 1,
            done => return Ok(done?),
        }
    }
}
