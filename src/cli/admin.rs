//! `tokenwright admin`: work on the database itself, for the first token and for emergencies.

use chrono::SecondsFormat;
use clap::{ArgGroup, Args, Subcommand};

use super::audit::{self, AuditCommand};
use super::backup::{self, BackupArgs};
use super::existing_token::{self, LineArgs, TokenIdArgs};
use super::new_token::make_and_print;
use super::output::report;
use super::policy::{self, PolicyCommand};
use super::prune::{self, PruneArgs};
use super::restore::{self, RestoreArgs};
use super::revoke::{self, RevokeArgs};
use super::{CliError, service_config};
use crate::app;
use crate::config::{DatabaseArgs, TokenArgs};
use crate::domain::catalogue::Catalogue;
use crate::domain::clock::Instant;
use crate::domain::fault::Field;
use crate::domain::lifetime::Lifetime;
use crate::service::{CreateApiToken, CreateApiTokenError, CreatedApiToken, RequestedExpiry};

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Create a token, attributed to the built-in system user. Prints only its secret to standard
    /// output.
    CreateToken(CreateTokenArgs),
    /// Delete a token for good, as the built-in system user.
    DeleteToken(LineArgs),
    /// Disable a token, as the built-in system user: only `enable-token` enables it again.
    DisableToken(LineArgs),
    /// Enable a token, whoever disabled it.
    EnableToken(TokenIdArgs),
    /// Disable every token that was created before a time, as the built-in system user; servers may
    /// run.
    Revoke(RevokeArgs),
    /// Show or change the policy: rules for tokens, also for those that were issued already.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Copy a SQLite database into a file; a server may run.
    Backup(BackupArgs),
    /// Put a backup in the place of a SQLite database; no server may run.
    Restore(RestoreArgs),
    /// Remove old audit events and deleted tokens for good, in small steps; a server may run.
    Prune(PruneArgs),
    /// Copy the audit events elsewhere.
    #[command(subcommand)]
    Audit(AuditCommand),
}

// The narrower grant comes first, because messages name them in this order.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("grant").required(true).args(["permission", "all_permissions"]))]
pub(super) struct CreateTokenArgs {
    /// Name of the token.
    #[arg(long)]
    name: String,

    /// What the token is for, in words: at most 1,000 characters. It gives no authority.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,

    /// What the token is for, as a pair such as `tenant=acme`; may be repeated. The key is 1 to 63
    /// of `a-z0-9._-`. Labels give no authority.
    #[arg(long, value_name = "KEY=VALUE", num_args = 1.., value_parser = key_and_value)]
    label: Vec<(String, String)>,

    /// Time from now to its expiry: `90d`, `2w`, `12h`, `30m` (minutes), `6mo` (months of the
    /// calendar), `1y`.
    #[arg(long, value_name = "DURATION", value_parser = Lifetime::parse)]
    expires_in: Lifetime,

    /// A permission by its dotted code, such as `api.users.read`, or by its name in GraphQL; may be
    /// repeated.
    #[arg(long, value_name = "CODE", num_args = 1..)]
    permission: Vec<String>,

    /// All permissions that can be granted.
    #[arg(long)]
    all_permissions: bool,

    /// An address or CIDR network from which the token may be used; may be repeated. Without it:
    /// any address.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    allowed_address: Vec<String>,

    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    tokens: TokenArgs,
}

pub(super) async fn run(command: AdminCommand) -> Result<(), CliError> {
    match command {
        AdminCommand::CreateToken(args) => create(args).await,
        AdminCommand::DeleteToken(args) => existing_token::delete(args).await,
        AdminCommand::DisableToken(args) => existing_token::disable(args).await,
        AdminCommand::EnableToken(args) => existing_token::enable(args).await,
        AdminCommand::Revoke(args) => revoke::run(args).await,
        AdminCommand::Policy(command) => policy::run(command).await,
        AdminCommand::Backup(args) => backup::run(args).await,
        AdminCommand::Restore(args) => restore::run(args).await,
        AdminCommand::Prune(args) => prune::run(args).await,
        AdminCommand::Audit(command) => audit::run(command).await,
    }
}

async fn create(args: CreateTokenArgs) -> Result<(), CliError> {
    let service = app::service(service_config(&args.database, &args.tokens)?).await?;
    let catalogue = service.catalogue();
    let permissions = if args.all_permissions {
        catalogue.grantable()
    } else {
        args.permission.into_iter().map(|name| code(catalogue, name)).collect()
    };
    let expiry = args.expires_in.end(service.now());
    let wanted = CreateApiToken {
        name: args.name,
        description: args.description,
        labels: args.label,
        // An expiry beyond the calendar is also beyond the maximum lifetime.
        expiry: RequestedExpiry::at(expiry.unwrap_or(Instant::MAX_UTC)),
        permissions,
        allowed_addresses: Some(args.allowed_address),
        idempotency_key: None,
    };
    let secret = |created: &CreatedApiToken| format!("{}\n", created.secret.reveal());
    let token = make_and_print(&service, wanted, secret).await?;
    report(&format!(
        "created {} `{}`, which expires {}; its secret is shown only once",
        token.id,
        token.name,
        token.expiry.to_rfc3339_opts(SecondsFormat::Secs, true)
    ));
    Ok(())
}

/// The code of a permission, which may also be given by its name in the GraphQL enum.
fn code(catalogue: &Catalogue, name: String) -> String {
    catalogue.by_name(&name).map_or(name, |entry| entry.code.to_string())
}

fn key_and_value(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("a label is written `KEY=VALUE`")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// All faults of the input, one per line.
pub(super) fn describe(error: &CreateApiTokenError) -> String {
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

/// The flag that has the fault. The message quotes the element if one of several has it.
const fn flag(field: Field) -> &'static str {
    match field {
        Field::Name => "--name",
        Field::Description => "--description",
        Field::Labels => "--label",
        Field::Expiry => "--expires-in",
        Field::Permissions => "--permission",
        Field::AllowedAddresses => "--allowed-address",
        // Not part of this command's input.
        Field::Id
        | Field::Version
        | Field::Enabled
        | Field::Descendants
        | Field::Overlap
        | Field::IdempotencyKey
        | Field::Tokens
        | Field::ClientAddress
        | Field::MaxLifetimeSeconds
        | Field::MaxLifetimeScope
        | Field::AllowedAddressesScope
        | Field::IdleSeconds
        | Field::IdleScope
        | Field::Force
        | Field::First
        | Field::Last
        | Field::After
        | Field::Before
        | Field::Ids
        | Field::Except
        | Field::Everything
        | Field::ExpectedCount
        | Field::Reason
        | Field::Filter(_) => "the input",
    }
}
