//! The command line: one file per command.

mod admin;
mod audit;
mod backup;
mod config;
mod dev;
mod end_signals;
mod existing_token;
mod healthcheck;
mod migrate;
mod new_token;
mod output;
mod policy;
mod process;
mod prune;
mod restore;
mod revoke;
mod schema;
mod serve;
mod server;
mod service_manager;
mod stop;

use std::ffi::OsString;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use audit::ExportError;
pub use output::report;

use end_signals::stoppable;

use crate::app::{ServiceConfig, StartError};
use crate::config::{
    DatabaseArgs, Inspection, LogArgs, PermissionsError, SettingsError, TokenArgs, TracesArgs,
    read_settings,
};
use crate::db::{BackupError, InvalidDatabaseUrl, MigrateError, RestoreError};
use crate::domain::clock::SystemClock;
use crate::domain::id::ApiTokenId;
use crate::domain::random::SystemRandom;
use crate::service::{
    CreateApiTokenError, DeleteApiTokenError, ReadError, RevokeApiTokensError, UpdateApiTokenError,
    UpdatePolicyError,
};

/// A self-hosted authority for API tokens.
///
/// Every setting is a flag, an environment variable (TOKENWRIGHT_...) and a key of the settings
/// file, in this order of precedence.
#[derive(Debug, Parser)]
#[command(name = "tokenwright", version, arg_required_else_help = true)]
pub struct Cli {
    /// A settings file (TOML); its keys are the names of the flags, such as `listen`.
    #[arg(long, env = "TOKENWRIGHT_CONFIG", value_name = "FILE", global = true)]
    config: Option<OsString>,

    /// What is logged, and in which format.
    #[command(flatten)]
    pub log: LogArgs,

    #[command(subcommand)]
    command: Command,

    /// Warnings about the settings, for the log.
    #[arg(skip)]
    warnings: Vec<String>,

    /// What `config check` reports.
    #[arg(skip)]
    inspection: Option<Inspection>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything at once to try it out: a database file, migrations, the playground, an
    /// administrator's token.
    Dev(server::ServerArgs),
    /// Run the server.
    Serve(serve::ServeArgs),
    /// Check settings, or print a settings file to start from.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Work on the database itself, without a server.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Apply the migrations; safe when several start at once.
    Migrate(DatabaseArgs),
    /// Print the GraphQL schema.
    Schema(TokenArgs),
    /// Exit with 0 when the server's /readyz answers.
    Healthcheck(healthcheck::HealthcheckArgs),
}

/// Why a command ended without success.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The settings file or the environment cannot be used.
    #[error(transparent)]
    Usage(#[from] SettingsError),
    /// The database URL cannot be used.
    #[error(transparent)]
    DatabaseUrl(#[from] InvalidDatabaseUrl),
    /// The permission catalogue cannot be used.
    #[error(transparent)]
    Permissions(#[from] PermissionsError),
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The database was not migrated, or its state could not be read.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The token was not created.
    #[error("{}", admin::describe(.0))]
    CreateToken(#[from] CreateApiTokenError),
    /// The token was not deleted.
    #[error(transparent)]
    DeleteToken(#[from] DeleteApiTokenError),
    /// The token was not changed.
    #[error("{}", existing_token::describe(.0))]
    UpdateToken(#[from] UpdateApiTokenError),
    /// The tokens were not revoked.
    #[error(transparent)]
    RevokeTokens(#[from] RevokeApiTokensError),
    /// The policy was not changed.
    #[error("{}", policy::describe(.0))]
    UpdatePolicy(#[from] UpdatePolicyError),
    /// The tokens cannot be listed.
    #[error(transparent)]
    List(#[from] ReadError),
    /// There is no backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The backup was not restored.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The export of the audit events is not complete.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Settings have faults, which are reported already: how many.
    #[error("the settings have {0} fault(s)")]
    Faults(usize),
    /// What the settings name cannot be used, which is reported already: how much of it.
    #[error("the settings are valid, but {0} of what they name cannot be used")]
    NotUsable(usize),
    /// Something must be decided first: what, and how.
    #[error("{0}")]
    Undecided(String),
    /// The log or the traces cannot begin.
    #[error(transparent)]
    Telemetry(#[from] crate::telemetry::TelemetryError),
    /// Standard output cannot be written to.
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    /// Standard output keeps nothing, so the secret would be lost; what is wrong with it.
    #[error("no token was created: standard output {0}, so its secret would be lost")]
    NoOutput(&'static str),
    /// The secret could not be written, and the token was deleted again.
    #[error(
        "the secret could not be written to standard output ({1}) and is lost, so the token {0} \
         was deleted again"
    )]
    SecretLost(ApiTokenId, std::io::Error),
    /// The secret could not be written, and the token could not be deleted.
    #[error(
        "the secret could not be written to standard output ({1}) and is lost; the token {0} \
         exists and could not be deleted again ({2}): delete it"
    )]
    LostTokenRemains(ApiTokenId, std::io::Error, DeleteApiTokenError),
    /// A signal ended it: its name and number.
    #[error("stopped by {0}; a change that was under way was made as a whole or not at all")]
    Stopped(&'static str, i32),
    /// Anything else that the operating system refused.
    #[error("{0}")]
    Failed(#[from] std::io::Error),
}

impl CliError {
    /// 2: the command was called wrongly; 1: it failed; 128 and a number: that signal ended it, as
    /// shells say it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::DatabaseUrl(_)
            | Self::Permissions(_)
            | Self::Faults(_)
            | Self::Undecided(_)
            | Self::Telemetry(_) => 2,
            Self::Start(_)
            | Self::Migrate(_)
            | Self::CreateToken(_)
            | Self::DeleteToken(_)
            | Self::UpdateToken(_)
            | Self::RevokeTokens(_)
            | Self::UpdatePolicy(_)
            | Self::List(_)
            | Self::Backup(_)
            | Self::Restore(_)
            | Self::Export(_)
            | Self::NotUsable(_)
            | Self::Output(_)
            | Self::NoOutput(_)
            | Self::SecretLost(..)
            | Self::LostTokenRemains(..)
            | Self::Failed(_) => 1,
            Self::Stopped(_, number) => u8::try_from(*number).map_or(1, |number| 128 + number),
        }
    }
}

impl Cli {
    /// Reads the command line, the environment and the settings file. `--help` and wrong flags end
    /// the process, as clap does: with 0 or 2.
    ///
    /// # Errors
    /// When the settings file or the environment cannot be used.
    pub fn read(
        arguments: Vec<OsString>,
        environment: Vec<(OsString, OsString)>,
    ) -> Result<Self, CliError> {
        let settings = match read_settings(&Self::command(), &arguments, &environment) {
            Err(SettingsError::Clap(error)) => error.exit(),
            read => read?,
        };
        let read = Self::from_arg_matches(&settings.matches);
        let cli = read.unwrap_or_else(|error| error.exit());
        Ok(Self { warnings: settings.warnings, inspection: settings.inspection, ..cli })
    }

    /// The settings of the traces, for a command that makes any.
    pub const fn traces(&self) -> Option<&TracesArgs> {
        match &self.command {
            Command::Dev(server) => Some(&server.traces),
            Command::Serve(serve) => Some(&serve.server.traces),
            _ => None,
        }
    }

    /// Runs the command to its end.
    ///
    /// # Errors
    /// Why it ended without success.
    pub async fn run(self) -> Result<(), CliError> {
        // Where settings are looked at, warnings are part of the output.
        if !matches!(self.command, Command::Config(_)) {
            for warning in &self.warnings {
                tracing::warn!("{warning}");
            }
        }
        match self.command {
            Command::Dev(args) => dev::run(args).await,
            Command::Serve(args) => serve::run(args).await,
            Command::Config(command) => config::run(command, self.inspection, self.warnings).await,
            Command::Admin(command) => stoppable(admin::run(command)).await,
            Command::Migrate(args) => stoppable(migrate::run(args)).await,
            Command::Schema(args) => schema::run(&args),
            Command::Healthcheck(args) => healthcheck::run(args).await,
        }
    }
}

/// The parts of the use cases, from the settings, with the real clock and random source.
fn service_config(database: &DatabaseArgs, tokens: &TokenArgs) -> Result<ServiceConfig, CliError> {
    Ok(ServiceConfig {
        database: database.url()?,
        pool: database.pool(),
        catalogue: tokens.catalogue()?,
        rules: tokens.rules(),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    })
}
