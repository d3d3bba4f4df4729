//! `tokenwright admin`: work on the database itself, for the first token and for emergencies.

use std::time::Duration;

use chrono::TimeDelta;
use clap::{Args, Subcommand};

use super::output::{print, tell};
use super::{CliError, service_config};
use crate::app;
use crate::config::{DatabaseArgs, TokenArgs, duration};
use crate::domain::fault::Field;
use crate::domain::principal::{Origin, Principal};
use crate::service::{CreateApiToken, CreateApiTokenError, RequestedExpiry};

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Make a token, attributed to the built-in system user. Prints its secret alone on standard
    /// output.
    CreateToken(CreateTokenArgs),
}

#[derive(Debug, Args)]
pub(super) struct CreateTokenArgs {
    /// Name of the token.
    #[arg(long)]
    name: String,

    /// Time from now to its expiry, such as `90d`.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires_in: Duration,

    /// Everything that can be granted.
    #[arg(long, conflicts_with = "permission", required_unless_present = "permission")]
    all_permissions: bool,

    /// A permission by its dotted code; may be repeated.
    #[arg(long, value_name = "CODE", num_args = 1..)]
    permission: Vec<String>,

    /// An address or CIDR network from which the token may be used; may be repeated. None: any.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    allowed_address: Vec<String>,

    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    tokens: TokenArgs,
}

pub(super) async fn run(command: AdminCommand) -> Result<(), CliError> {
    let AdminCommand::CreateToken(args) = command;
    let service = app::service(service_config(&args.database, &args.tokens)?).await?;
    let permissions =
        if args.all_permissions { service.catalogue().grantable() } else { args.permission };
    let lifetime = TimeDelta::from_std(args.expires_in).unwrap_or(TimeDelta::MAX);
    let expiry = service.clock().now().checked_add_signed(lifetime);
    let wanted = CreateApiToken {
        name: args.name,
        // What is beyond the calendar is beyond the maximum lifetime too.
        expiry: RequestedExpiry::at(expiry.unwrap_or(chrono::DateTime::<chrono::Utc>::MAX_UTC)),
        permissions,
        allowed_addresses: args.allowed_address,
    };
    let created =
        service.create_api_token(&Principal::Operator, &Origin::default(), wanted).await?;
    let id = created.token.id;
    print(&format!("{}\n", created.secret.reveal()))
        .map_err(|error| CliError::SecretLost(id, error))?;
    tell(&format!("created {id}; its secret is shown this once"));
    Ok(())
}

/// All faults of the input, a line each.
pub(super) fn told(error: &CreateApiTokenError) -> String {
    match error {
        CreateApiTokenError::Refused(faults) => {
            let lines: Vec<String> = faults
                .iter()
                .map(|fault| format!("{}: {}", flag(fault.field), fault.message))
                .collect();
            lines.join("\n")
        }
        other => other.to_string(),
    }
}

/// The flag that the fault is of. The message quotes the element, where one of several is at fault.
const fn flag(field: Field) -> &'static str {
    match field {
        Field::Name => "--name",
        Field::Expiry => "--expires-in",
        Field::Permissions => "--permission",
        Field::AllowedAddresses => "--allowed-address",
        // No part of this command's input.
        Field::Id
        | Field::Version
        | Field::Overlap
        | Field::First
        | Field::Last
        | Field::After
        | Field::Before
        | Field::Filter(_) => "the input",
    }
}
