//! `tokenwright admin policy`: the rules for tokens, also for those that were issued already. It
//! works on the database itself, so a policy that refuses every token can be undone here.

use clap::{Args, Subcommand, ValueEnum};

use super::output::{print, report};
use super::{CliError, service_config};
use crate::app;
use crate::config::{CatalogueArgs, DatabaseArgs};
use crate::domain::clock::written;
use crate::domain::fault::Field;
use crate::domain::policy::{
    Limit, Policy, PolicyChange, PolicyDuration, PolicyRecord, PolicyRule, ScopeKind,
};
use crate::domain::principal::{Origin, Principal};
use crate::service::{PolicyCounts, UpdatePolicy, UpdatePolicyError};

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Print the policy.
    Show(ShowArgs),
    /// Change the policy, as the built-in system user, from the next request on. What is left out
    /// stays as it is.
    Set(SetArgs),
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    catalogue: CatalogueArgs,
}

#[derive(Debug, Args)]
pub(super) struct SetArgs {
    /// Longest time from the creation of a token to its end: `90d`, `12h`, `30m` (minutes), `45s`.
    #[arg(long, value_name = "DURATION", value_parser = PolicyDuration::parse)]
    max_lifetime: Option<PolicyDuration>,

    /// The tokens that the longest lifetime is for: none, those created from now on, or all.
    #[arg(long, value_name = "SCOPE")]
    max_lifetime_scope: Option<RuleScope>,

    /// The tokens that must have allowed addresses.
    #[arg(long, value_name = "SCOPE")]
    allowed_addresses_scope: Option<RuleScope>,

    /// Longest time without a use, or `off`; counted from the latest of the last use, the creation
    /// and the last enabling.
    #[arg(long, value_name = "DURATION|off", value_parser = idle)]
    idle: Option<Idle>,

    /// The tokens that the longest time without a use is for; all, unless the rule is on already.
    #[arg(long, value_name = "SCOPE")]
    idle_scope: Option<RuleScope>,

    /// Change nothing; print what the policy would be, and how many tokens it would refuse.
    #[arg(long)]
    dry_run: bool,

    /// Change it even if it refuses every token that works now.
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    catalogue: CatalogueArgs,
}

/// The tokens that a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RuleScope {
    /// The rule is off.
    Off,
    /// Tokens that are created from now on.
    New,
    /// All tokens.
    All,
}

impl From<RuleScope> for ScopeKind {
    fn from(scope: RuleScope) -> Self {
        match scope {
            RuleScope::Off => Self::Off,
            RuleScope::New => Self::New,
            RuleScope::All => Self::All,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Idle {
    Off,
    After(PolicyDuration),
}

fn idle(text: &str) -> Result<Idle, String> {
    if text == "off" {
        return Ok(Idle::Off);
    }
    PolicyDuration::parse(text).map(Idle::After).map_err(|error| error.to_string())
}

pub(super) async fn run(command: PolicyCommand) -> Result<(), CliError> {
    match command {
        PolicyCommand::Show(args) => show(args).await,
        PolicyCommand::Set(args) => set(args).await,
    }
}

async fn show(args: ShowArgs) -> Result<(), CliError> {
    let service = app::service(service_config(&args.database, &args.catalogue.tokens())?).await?;
    let PolicyRecord { policy, last_modified_date, last_modified } =
        service.policy(&Principal::Operator).await?;
    let changed =
        format!("changed: {} by {}\n", written(last_modified_date), last_modified.user_name);
    let text = format!("version: {}\n{}{changed}", policy.version, rules(&policy));
    print(&text).map_err(CliError::Output)
}

async fn set(args: SetArgs) -> Result<(), CliError> {
    let service = app::service(service_config(&args.database, &args.catalogue.tokens())?).await?;
    let operator = Principal::Operator;
    let before = service.policy(&operator).await?.policy;
    let change = change(&args, &before)?;
    if args.dry_run {
        let (policy, counts) = service.try_policy(&operator, &change).await?;
        return print(&format!("{}{}", rules(&policy), counted(&counts))).map_err(CliError::Output);
    }
    let wanted = UpdatePolicy { version: None, change, force: args.force };
    let changed = service.update_policy(&operator, &Origin::default(), wanted).await?;
    let version = changed.policy.version;
    report(&match version == before.version {
        true => format!("the policy is unchanged, at version {version}"),
        false => format!("the policy is changed, from the next request on; version {version}"),
    });
    print(&rules(&changed.policy)).map_err(CliError::Output)
}

fn change(args: &SetArgs, before: &Policy) -> Result<PolicyChange, CliError> {
    let (idle_seconds, scope) = match args.idle {
        None => (None, None),
        Some(Idle::Off) if args.idle_scope.is_some_and(|scope| scope != RuleScope::Off) => {
            let contradiction = "`--idle off` and this `--idle-scope` contradict each other";
            return Err(CliError::Undecided(contradiction.to_owned()));
        }
        Some(Idle::Off) => (None, Some(ScopeKind::Off)),
        Some(Idle::After(time)) => {
            let scope = before.idle.scope.kind();
            let scope = if scope == ScopeKind::Off { ScopeKind::All } else { scope };
            (Some(time.seconds()), Some(scope))
        }
    };
    Ok(PolicyChange {
        max_lifetime_seconds: args.max_lifetime.map(PolicyDuration::seconds),
        max_lifetime_scope: args.max_lifetime_scope.map(Into::into),
        allowed_addresses_scope: args.allowed_addresses_scope.map(Into::into),
        idle_seconds,
        idle_scope: args.idle_scope.map(Into::into).or(scope),
    })
}

/// The rules, in the words of the flags.
fn rules(policy: &Policy) -> String {
    let limit = |limit: Limit| {
        let time = limit.duration.map_or("off".to_owned(), |time| time.to_string());
        (time, limit.scope.kind())
    };
    let ((lifetime, lifetime_scope), (idle, idle_scope)) =
        (limit(policy.max_lifetime), limit(policy.idle));
    format!(
        "max-lifetime: {lifetime}\nmax-lifetime-scope: {lifetime_scope}\n\
         allowed-addresses-scope: {}\nidle: {idle}\nidle-scope: {idle_scope}\n",
        policy.allowed_addresses.kind()
    )
}

fn counted(counts: &PolicyCounts) -> String {
    let line =
        |(rule, count): &(PolicyRule, i64)| format!("refused by {}: {count}\n", flag_of(*rule));
    let lines: String = counts.refused.iter().map(line).collect();
    format!("tokens that can be used: {}\n{lines}", counts.usable)
}

const fn flag_of(rule: PolicyRule) -> &'static str {
    match rule {
        PolicyRule::MaxLifetime => "max-lifetime",
        PolicyRule::AllowedAddresses => "allowed-addresses",
        PolicyRule::Idle => "idle",
    }
}

/// All faults of a change, one per line.
pub(super) fn describe(error: &UpdatePolicyError) -> String {
    match error {
        UpdatePolicyError::Refused(faults) => {
            let line = |fault: &crate::domain::fault::InputFault| {
                format!("{}: {}", flag(fault.field), fault.message)
            };
            faults.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

/// The flag that has the fault.
const fn flag(field: Field) -> &'static str {
    match field {
        Field::MaxLifetimeSeconds => "--max-lifetime",
        Field::MaxLifetimeScope => "--max-lifetime-scope",
        Field::AllowedAddressesScope => "--allowed-addresses-scope",
        Field::IdleSeconds => "--idle",
        Field::IdleScope => "--idle-scope",
        Field::Force => "--force",
        _ => "the input",
    }
}
