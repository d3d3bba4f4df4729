//! The command line: one file per command.

mod admin;
mod dev;
mod healthcheck;
mod migrate;
mod new_token;
mod output;
mod schema;
mod serve;
mod server;
mod stop;

use std::ffi::OsString;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use output::tell;

use crate::app::{ServiceConfig, StartError};
use crate::config::{
    DatabaseArgs, LogArgs, PermissionsError, SettingsError, TokenArgs, read_settings,
};
use crate::db::{InvalidDatabaseUrl, MigrateError};
use crate::domain::clock::SystemClock;
use crate::domain::id::ApiTokenId;
use crate::domain::random::SystemRandom;
use crate::service::{CreateApiTokenError, DeleteApiTokenError};

/// A self-hosted authority for API tokens.
///
/// Every setting is a flag, an environment variable (TOKENWRIGHT_...) and a key of the settings file,
/// in this order of precedence.
#[derive(Debug, Parser)]
#[command(name = "tokenwright", version, arg_required_else_help = true)]
pub struct Cli {
    /// A settings file (TOML); its keys are the names of the flags, such as `listen`.
    #[arg(long, env = "TOKENWRIGHT_CONFIG", value_name = "FILE", global = true)]
    config: Option<OsString>,

    /// What is logged, and how.
    #[command(flatten)]
    pub log: LogArgs,

    #[command(subcommand)]
    command: Command,

    /// What the operator should know of the settings, once there is a log.
    #[arg(skip)]
    warnings: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one go, to try it: a database file, migrations, the playground, an
    /// administrator's token.
    Dev(server::ServerArgs),
    /// Run the server.
    Serve(serve::ServeArgs),
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
    #[error(transparent)]
    Usage(#[from] SettingsError),
    #[error(transparent)]
    DatabaseUrl(#[from] InvalidDatabaseUrl),
    #[error(transparent)]
    Permissions(#[from] PermissionsError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error("{}", admin::told(.0))]
    CreateToken(#[from] CreateApiTokenError),
    #[error(transparent)]
    Log(#[from] crate::telemetry::InvalidFilter),
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    #[error("no token was made: standard output {0}, so its secret would be lost")]
    SecretUnkept(&'static str),
    #[error(
        "the secret could not be written to standard output ({1}) and is lost, so the token {0} was \
         deleted again"
    )]
    SecretLost(ApiTokenId, std::io::Error),
    #[error(
        "the secret could not be written to standard output ({1}) and is lost; the token {0} exists \
         and could not be deleted again ({2}): delete it"
    )]
    LostTokenRemains(ApiTokenId, std::io::Error, DeleteApiTokenError),
    #[error("{0}")]
    Failed(#[from] std::io::Error),
}

impl CliError {
    /// 2: the command was called wrongly; 1: it failed.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::DatabaseUrl(_) | Self::Permissions(_) | Self::Log(_) => 2,
            Self::Start(_)
            | Self::Migrate(_)
            | Self::CreateToken(_)
            | Self::Output(_)
            | Self::SecretUnkept(_)
            | Self::SecretLost(..)
            | Self::LostTokenRemains(..)
            | Self::Failed(_) => 1,
        }
    }
}

impl Cli {
    /// Reads the command line, the environment and the settings file. `--help` and wrong flags end the
    /// process, as clap does it: with 0 or 2.
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
        Ok(Self { warnings: settings.warnings, ..cli })
    }

    /// Runs the command to its end.
    ///
    /// # Errors
    /// Why it ended without success.
    pub async fn run(self) -> Result<(), CliError> {
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
        match self.command {
            Command::Dev(args) => dev::run(args).await,
            Command::Serve(args) => serve::run(args).await,
            Command::Admin(command) => admin::run(command).await,
            Command::Migrate(args) => migrate::run(args).await,
            Command::Schema(args) => schema::run(&args),
            Command::Healthcheck(args) => healthcheck::run(args).await,
        }
    }
}

/// The use cases' parts from the settings, with the real clock and the real random source.
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
