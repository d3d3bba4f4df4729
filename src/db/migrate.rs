//! Migrations: applied under a lock, so that several processes may start at once.

use std::time::Duration;

use diesel::Connection;
use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{DatabaseUrl, DbError, postgres, sqlite};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The advisory lock that migrations are applied under: "tokenwri" in ASCII.
const TAKE_LOCK: &str = "SELECT pg_advisory_xact_lock(8389759048285647465)";

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How a database stands to this version of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrationState {
    Current,
    /// This many migrations are to be applied.
    Behind(usize),
    /// The database has migrations that this version does not know.
    Newer(Vec<String>),
}

/// The database was not migrated, or its state could not be told.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("a migration failed: {0}")]
    Failed(String),
    #[error(
        "the database is from a newer version of tokenwright (it has the migration {}); \
         use that version",
        .0.join(", ")
    )]
    Newer(Vec<String>),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Applies what is missing; makes the SQLite file if there is none. Returns the number applied.
///
/// # Errors
/// When the database is newer, out of reach, or a migration fails; nothing is applied then.
pub async fn migrate(url: &DatabaseUrl) -> Result<usize, MigrateError> {
    with_harness(url.clone(), Work::Migrate)
        .await
        .map(|(_, applied)| applied)
}

/// Tells how the database stands to this version. Never makes a file.
///
/// # Errors
/// When the database is out of reach.
pub async fn migration_state(url: &DatabaseUrl) -> Result<MigrationState, MigrateError> {
    with_harness(url.clone(), Work::Look)
        .await
        .map(|(state, _)| state)
}

#[derive(Clone, Copy)]
enum Work {
    Look,
    Migrate,
}

type Done = Result<(MigrationState, usize), MigrateError>;

async fn with_harness(url: DatabaseUrl, work: Work) -> Done {
    let connected = match &url {
        DatabaseUrl::Sqlite(_) => None,
        DatabaseUrl::Postgres(target) => Some(postgres::connect_alone(target, CONNECT).await?),
    };
    let blocking = move || match (url, connected) {
        (DatabaseUrl::Sqlite(path), _) => {
            if matches!(work, Work::Migrate) {
                sqlite::create_file(&path)?;
            }
            let mut connection = sqlite::open_writer(&path)?;
            connection.immediate_transaction(|connection| run(connection, SQLITE, work))
        }
        (DatabaseUrl::Postgres(_), Some(connection)) => {
            let mut connection = AsyncConnectionWrapper::<_>::from(connection);
            connection.transaction(|connection| {
                diesel::connection::SimpleConnection::batch_execute(connection, TAKE_LOCK)?;
                run(connection, POSTGRES, work)
            })
        }
        (DatabaseUrl::Postgres(_), None) => Err(MigrateError::Failed("not connected".into())),
    };
    tokio::task::spawn_blocking(blocking)
        .await
        .map_err(|_| DbError::OperationPanicked)?
}

fn run<DB: Backend, C: MigrationHarness<DB>>(
    connection: &mut C,
    source: EmbeddedMigrations,
    work: Work,
) -> Done
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        MigrateError::Failed(super::error::with_causes(error.as_ref()))
    };
    let known: Vec<Box<dyn Migration<DB>>> = source.migrations().map_err(failed)?;
    let known: Vec<MigrationVersion<'_>> = known
        .iter()
        .map(|migration| migration.name().version())
        .collect();
    let applied = connection.applied_migrations().map_err(failed)?;
    let newer: Vec<String> = applied
        .iter()
        .filter(|version| !known.contains(version))
        .map(ToString::to_string)
        .collect();
    match (
        newer.is_empty(),
        known.len() - applied.len().min(known.len()),
        work,
    ) {
        (false, _, Work::Migrate) => Err(MigrateError::Newer(newer)),
        (false, _, Work::Look) => Ok((MigrationState::Newer(newer), 0)),
        (true, 0, _) => Ok((MigrationState::Current, 0)),
        (true, missing, Work::Look) => Ok((MigrationState::Behind(missing), 0)),
        (true, missing, Work::Migrate) => {
            connection.run_pending_migrations(source).map_err(failed)?;
            Ok((MigrationState::Current, missing))
        }
    }
}

impl From<diesel::result::Error> for MigrateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
