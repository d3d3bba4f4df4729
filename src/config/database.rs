//! Where the data is, and how connections are used.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::value::{DatabaseUrlText, timeout};
use crate::db::{DatabaseUrl, InvalidDatabaseUrl, PoolSettings};

/// Settings of the database.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`.
    #[arg(
        long,
        env = "TOKENWRIGHT_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite:tokenwright.db",
        // A settings file becomes the default, and its URL may hold a password.
        hide_default_value = true
    )]
    pub database_url: DatabaseUrlText,

    /// A file that holds the database URL, such as a secret that is mounted into a container. It
    /// replaces `--database-url`.
    #[arg(long, env = "TOKENWRIGHT_DATABASE_URL_FILE", value_name = "FILE")]
    pub database_url_file: Option<PathBuf>,

    /// Connections to PostgreSQL, of which at least two serve only short reads and a third of the
    /// others serves searches. With SQLite: connections that read the file, beside one of each of
    /// the `--workers`.
    #[arg(
        long,
        env = "TOKENWRIGHT_DATABASE_CONNECTIONS",
        value_name = "NUMBER",
        default_value_t = 8,
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    pub database_connections: u16,

    /// Longest wait for a free connection; after it the answer is 503.
    #[arg(
        long,
        env = "TOKENWRIGHT_DATABASE_WAIT",
        value_name = "DURATION",
        default_value = "2s",
        value_parser = timeout
    )]
    pub database_wait: Duration,

    /// Longest time of one search, and on PostgreSQL of any statement. After it a search is refused
    /// with `query_limit`, and anything else answered with 503.
    #[arg(
        long,
        env = "TOKENWRIGHT_DATABASE_STATEMENT_TIMEOUT",
        value_name = "DURATION",
        default_value = "5s",
        value_parser = timeout
    )]
    pub database_statement_timeout: Duration,

    /// Longest time that a transaction in PostgreSQL may wait for its next statement.
    #[arg(
        long,
        env = "TOKENWRIGHT_DATABASE_IDLE_TRANSACTION_TIMEOUT",
        value_name = "DURATION",
        default_value = "5s",
        value_parser = timeout
    )]
    pub database_idle_transaction_timeout: Duration,
}

impl DatabaseArgs {
    /// Reads the URL.
    ///
    /// # Errors
    /// When it cannot be read; the message does not repeat it.
    pub fn url(&self) -> Result<DatabaseUrl, InvalidDatabaseUrl> {
        DatabaseUrl::parse(&self.database_url.0)
    }

    /// The settings of the connections.
    pub fn pool(&self) -> PoolSettings {
        PoolSettings {
            connections: self.database_connections.into(),
            wait: self.database_wait,
            statement_timeout: self.database_statement_timeout,
            idle_transaction_timeout: self.database_idle_transaction_timeout,
        }
    }
}
