//! Migrations: applied under a lock, so that several processes may start at once.

mod in_one;
mod state;
mod tables;

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::postgres::{self, PostgresTarget};
use super::sqlite::Turn;
use super::{DatabaseUrl, DbError, ServerLock, ServerLockError, sqlite};

use in_one::InOne;
pub use state::MigrationState;
use state::{Names, Source, state};
use tables::take_tables;

const SQLITE: Source = Source {
    migrations: embed_migrations!("migrations/sqlite"),
    tables: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'",
};
/// The tables in the schema where ours are made, except those of extensions, and the table of
/// migrations wherever it is found.
const POSTGRES: Source = Source {
    migrations: embed_migrations!("migrations/postgres"),
    tables: "SELECT relname::text AS name FROM pg_class WHERE relkind IN ('r', 'p') \
             AND (relnamespace = quote_ident(current_schema())::regnamespace \
                  OR oid = to_regclass('__diesel_schema_migrations')) \
             AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass \
                             AND objid = pg_class.oid AND deptype = 'e')",
};

/// The advisory lock that migrations are applied under: "tokenwri" in ASCII.
const TAKE_LOCK: &str = "SELECT pg_advisory_xact_lock(8389759048285647465)";
const ONLY_READ: &str = "SET TRANSACTION READ ONLY";
/// A process that waited for the lock must see what the holder did, whatever the default isolation
/// is.
const SEE_THE_LATEST: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED";
/// The schema of our tables. Without the right to use it there is none, and no table would be seen.
const SCHEMA: &str =
    "SELECT s AS name FROM (SELECT current_schema()::text) AS c (s) WHERE s IS NOT NULL";

/// How the database stores text, where that cannot hold every name. `SQL_ASCII` stores the bytes
/// that it is given, so it can.
const ENCODING: &str = "SELECT e AS name FROM (SELECT current_setting('server_encoding')) AS c (e) \
                        WHERE e NOT IN ('UTF8', 'SQL_ASCII')";

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Why the database was not migrated, or its state not read.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A migration failed, and nothing was applied.
    #[error("a migration failed: {0}")]
    Failed(String),
    /// Somebody else has used a table for too long, and nothing was applied.
    #[error(
        "another session uses the tables, and a migration does not wait long for it, because all \
         requests would wait, too; nothing was applied: run it again when `pg_dump`, maintenance, \
         or an open transaction (`pg_stat_activity`) has ended"
    )]
    TablesInUse,
    /// The database has migrations that this version does not know.
    #[error(
        "the database is from a newer version of tokenwright (it has the migration {}); \
         use that version",
        .0.join(", ")
    )]
    Newer(Vec<String>),
    /// The database holds tables of something else.
    #[error(
        "the database holds other tables (such as `{0}`); give tokenwright a database of its own"
    )]
    Foreign(String),
    /// A server uses the SQLite file.
    #[error(
        "a tokenwright server uses {0}, and the database must be migrated; stop the server first"
    )]
    ServerRuns(PathBuf),
    /// The role may use no schema of the search path.
    #[error(
        "there is no schema in the search_path that the role may use; usually \
         `GRANT USAGE ON SCHEMA public` is missing"
    )]
    NoSchema,
    /// The database stores text in this encoding, not in UTF-8.
    #[error(
        "the database stores text in {0}, which cannot hold every name; use one in UTF-8: `CREATE \
         DATABASE NAME ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0`"
    )]
    Encoding(String),
    /// The lock on the SQLite file could not be taken.
    #[error(transparent)]
    Lock(#[from] ServerLockError),
    /// The database did not answer, or refused.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Applies what is missing; makes the SQLite file if there is none. Returns the number applied.
///
/// # Errors
/// When a server runs on the SQLite file while something is to be applied, when the database is
/// newer, out of reach or not ours, or when a migration fails; nothing is applied then.
pub async fn migrate(url: &DatabaseUrl) -> Result<usize, MigrateError> {
    match url.clone() {
        DatabaseUrl::Sqlite(path) => blocking(move || migrate_file(&path)).await,
        DatabaseUrl::Postgres(target) => {
            on_postgres(&target, |connection| {
                connection.batch_execute(TAKE_LOCK)?;
                if state(connection, &POSTGRES)?.missing()? > 0 {
                    take_tables(connection)?;
                }
                apply(connection, POSTGRES)
            })
            .await
        }
    }
}

/// Compares the database with this version. It writes nothing and needs no right to write.
///
/// # Errors
/// When the database is out of reach, or not ours.
pub async fn migration_state(url: &DatabaseUrl) -> Result<MigrationState, MigrateError> {
    match url.clone() {
        DatabaseUrl::Sqlite(path) => blocking(move || look_at_file(&path)).await,
        DatabaseUrl::Postgres(target) => {
            on_postgres(&target, |connection| {
                connection.batch_execute(ONLY_READ)?;
                state(connection, &POSTGRES)
            })
            .await
        }
    }
}

impl ServerLock {
    /// Takes the lock for a server, and only then applies what is missing; makes the SQLite file if
    /// there is none.
    ///
    /// # Errors
    /// As [`Self::take`] and [`migrate`].
    pub async fn take_and_migrate(url: &DatabaseUrl) -> Result<Self, MigrateError> {
        match url.clone() {
            DatabaseUrl::Sqlite(path) => blocking(move || lock_and_migrate_file(path)).await,
            DatabaseUrl::Postgres(_) => {
                migrate(url).await?;
                Ok(Self::take(url)?)
            }
        }
    }
}

fn migrate_file(path: &Path) -> Result<usize, MigrateError> {
    sqlite::create_file(path)?;
    let turn = Turn::wait_for(path)?;
    if look_at_file(path)?.missing()? == 0 {
        return Ok(0);
    }
    let _no_server = turn.server_lock().map_err(|error| match error {
        ServerLockError::InUse(path) => MigrateError::ServerRuns(path),
        other => other.into(),
    })?;
    apply_to_file(path)
}

fn lock_and_migrate_file(path: PathBuf) -> Result<ServerLock, MigrateError> {
    sqlite::create_file(&path)?;
    let lock = ServerLock::take(&DatabaseUrl::Sqlite(path.clone()))?;
    if look_at_file(&path)?.missing()? > 0 {
        apply_to_file(&path)?;
    }
    Ok(lock)
}

fn look_at_file(path: &Path) -> Result<MigrationState, MigrateError> {
    state(&mut sqlite::open_reader(path)?, &SQLITE).map_err(|error| match error {
        MigrateError::Db(error) => sqlite::explained(path, error).into(),
        other => other,
    })
}

/// Call it only if something is missing: opening the writer changes the file.
fn apply_to_file(path: &Path) -> Result<usize, MigrateError> {
    let mut cause = None;
    let ended = sqlite::open_writer(path)?.immediate_transaction(|connection| {
        apply(connection, SQLITE).map_err(|error| {
            cause = Some(error);
            diesel::result::Error::RollbackTransaction
        })
    });
    // After an error of the disk, SQLite has rolled back already, and diesel reports only that it
    // cannot do it again.
    cause.map_or_else(|| Ok(ended?), Err)
}

/// A connection as migrations know it.
type Postgres = AsyncConnectionWrapper<AsyncPgConnection>;

/// Runs a body in one transaction.
async fn on_postgres<T: Send + 'static>(
    target: &PostgresTarget,
    body: fn(&mut Postgres) -> Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    let connection = postgres::connect_alone(target, CONNECT).await?;
    let body = move |connection: &mut Postgres| {
        connection.batch_execute(SEE_THE_LATEST)?;
        if connection.names(SCHEMA)?.is_empty() {
            return Err(MigrateError::NoSchema);
        }
        if let Some(encoding) = connection.names(ENCODING)?.pop() {
            return Err(MigrateError::Encoding(encoding));
        }
        body(connection)
    };
    blocking(move || Postgres::from(connection).transaction(body)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MigrateError> + Send + 'static,
) -> Result<T, MigrateError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|_| DbError::OperationPanicked)?
}

/// Applies what is missing, in the transaction that is open.
fn apply<C>(connection: &mut C, source: Source) -> Result<usize, MigrateError>
where
    C: Names + MigrationHarness<C::Backend>,
    EmbeddedMigrations: MigrationSource<C::Backend>,
{
    match state(connection, &source)?.missing()? {
        0 => Ok(0),
        missing => {
            for migration in connection.pending_migrations(source.migrations).map_err(failed)? {
                connection.run_migration(&InOne(migration)).map_err(failed)?;
            }
            Ok(missing)
        }
    }
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> MigrateError {
    MigrateError::Failed(super::error::with_causes(error.as_ref()))
}

impl From<diesel::result::Error> for MigrateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
