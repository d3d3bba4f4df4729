//! Comparing a database with this version of the program, by reading only.

use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryResult, QueryableByName, RunQueryDsl, sql_query};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::EmbeddedMigrations;

use super::{MigrateError, failed};

/// Where the migrations that were applied are recorded.
const RECORD: &str = "__diesel_schema_migrations";
const APPLIED: &str = "SELECT version AS name FROM __diesel_schema_migrations ORDER BY version";

/// The state of a database compared with this version of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrationState {
    /// All migrations are applied.
    Current,
    /// This many migrations are to be applied.
    Behind(usize),
    /// The database has migrations that this version does not know.
    Newer(Vec<String>),
}

impl MigrationState {
    /// The number of migrations to apply.
    pub(super) fn missing(self) -> Result<usize, MigrateError> {
        match self {
            Self::Current => Ok(0),
            Self::Behind(missing) => Ok(missing),
            Self::Newer(versions) => Err(MigrateError::Newer(versions)),
        }
    }
}

/// What one kind of database is migrated with.
pub(super) struct Source {
    pub(super) migrations: EmbeddedMigrations,
    /// Lists the tables that make a database one that is in use.
    pub(super) tables: &'static str,
}

/// Reads the state. Diesel would make the table that it looks into; here a missing one means that
/// nothing was applied yet, unless other tables show that the database is somebody else's.
pub(super) fn state<C>(connection: &mut C, source: &Source) -> Result<MigrationState, MigrateError>
where
    C: Names,
    EmbeddedMigrations: MigrationSource<C::Backend>,
{
    let tables = connection.names(source.tables)?;
    let applied = if tables.iter().any(|table| table == RECORD) {
        connection.names(APPLIED)?
    } else if let Some(other) = tables.into_iter().next() {
        return Err(MigrateError::Foreign(other));
    } else {
        Vec::new()
    };
    let known: Vec<Box<dyn Migration<C::Backend>>> =
        source.migrations.migrations().map_err(failed)?;
    let known: Vec<String> =
        known.iter().map(|migration| migration.name().version().to_string()).collect();
    let missing = known.iter().filter(|version| !applied.contains(version)).count();
    let newer: Vec<String> =
        applied.into_iter().filter(|version| !known.contains(version)).collect();
    Ok(match (newer.is_empty(), missing) {
        (false, _) => MigrationState::Newer(newer),
        (true, 0) => MigrationState::Current,
        (true, missing) => MigrationState::Behind(missing),
    })
}

/// A connection that can be asked for names.
pub(super) trait Names: Connection {
    /// The column `name` of a query.
    fn names(&mut self, sql: &str) -> QueryResult<Vec<String>>;
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Names for SqliteConnection {
    fn names(&mut self, sql: &str) -> QueryResult<Vec<String>> {
        sql_query(sql).load(self).map(plain)
    }
}

impl Names for AsyncConnectionWrapper<AsyncPgConnection> {
    fn names(&mut self, sql: &str) -> QueryResult<Vec<String>> {
        sql_query(sql).load(self).map(plain)
    }
}

fn plain(names: Vec<Name>) -> Vec<String> {
    names.into_iter().map(|name| name.name).collect()
}
