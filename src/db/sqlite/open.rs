//! Opening connections to the file.

use std::fmt;
use std::path::Path;

use diesel::{Connection, SqliteConnection};

use super::file::{explained, missing, real_path};
use crate::db::DbError;

/// `busy_timeout` comes first, because the other statements may already meet a lock. WAL with
/// `FULL` keeps acknowledged commits through a loss of power; `NORMAL` would not. A log that grew
/// long gives its disk space back when it restarts.
pub(super) const WRITER: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
                      PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                      PRAGMA journal_size_limit = 4194304;";
/// Writes nothing, and fails if nothing can be written. `BEGIN IMMEDIATE` would not: on a read-only
/// file it starts a read transaction.
const PROBE: &str = "DELETE FROM __diesel_schema_migrations WHERE false;";
pub(super) const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;";
/// Waits for no lock.
pub(super) const LOCAL_READER: &str = "PRAGMA query_only = ON; PRAGMA busy_timeout = 0;";

/// Opens a file that exists. SQLite would make a missing one, without tables and readable by all.
pub(super) fn connect(path: &Path, pragmas: &str) -> Result<SqliteConnection, DbError> {
    if path.exists() { open(path, pragmas) } else { Err(missing(path)) }
}

/// Opens the file for migrations. Turns any file to WAL.
pub(in crate::db) fn open_writer(path: &Path) -> Result<SqliteConnection, DbError> {
    let mut connection = connect(path, WRITER)?;
    spill_beside(&mut connection, path)?;
    Ok(connection)
}

/// Has SQLite make the files for large sorts and changes in the folder of the database, for all
/// connections of this process. They have no name, and may hold what the database holds. Elsewhere,
/// such as in `/var/tmp`, a container or a service may have no place that can be written to.
fn spill_beside(connection: &mut SqliteConnection, path: &Path) -> Result<(), DbError> {
    use diesel::connection::SimpleConnection;

    let path = real_path(path)?;
    let folder = path.parent().and_then(Path::to_str).unwrap_or(".").replace('\'', "''");
    Ok(connection.batch_execute(&format!("PRAGMA temp_store_directory = '{folder}'"))?)
}

/// Opens the file to look into it, whatever program it belongs to.
pub(in crate::db) fn open_reader(path: &Path) -> Result<SqliteConnection, DbError> {
    connect(path, READER)
}

fn open(path: &Path, pragmas: &str) -> Result<SqliteConnection, DbError> {
    use diesel::connection::SimpleConnection;

    let unavailable = |error: &dyn fmt::Display| {
        DbError::Unavailable(format!("cannot open {}: {error}", path.display()))
    };
    let text = path.to_str().ok_or_else(|| unavailable(&"the path is not UTF-8"))?;
    let mut connection = SqliteConnection::establish(text).map_err(|error| unavailable(&error))?;
    connection.batch_execute(pragmas).map_err(|error| explained(path, unavailable(&error)))?;
    Ok(connection)
}

/// Opens a migrated file for use, and refuses a read-only file at once.
pub(super) fn open_first(path: &Path) -> Result<SqliteConnection, DbError> {
    let mut connection = connect(path, &format!("{WRITER} {PROBE}"))?;
    spill_beside(&mut connection, path)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use diesel::sql_types::Text;
    use diesel::{QueryableByName, RunQueryDsl, sql_query};

    use super::*;

    #[derive(QueryableByName)]
    struct Compiled {
        #[diesel(sql_type = Text)]
        compile_options: String,
    }

    /// As `.cargo/config.toml` says. A build without it is slower, and as right.
    #[test]
    fn the_library_is_compiled_without_locks_that_nobody_needs() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        let options = sql_query("PRAGMA compile_options").load::<Compiled>(&mut connection);
        let options: Vec<String> =
            options.unwrap().into_iter().map(|option| option.compile_options).collect();
        let has = |option: &str| options.iter().any(|one| one == option);
        assert!(has("THREADSAFE=2") && has("DEFAULT_MEMSTATUS=0"), "{options:?}");
        assert!(!has("ENABLE_MEMORY_MANAGEMENT") && !has("ENABLE_STAT4"), "{options:?}");
    }

    /// What was committed since a row was read is asked on the connection that read it, which does
    /// not count its own commits.
    #[test]
    fn a_connection_that_reads_can_never_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        std::fs::write(&path, "").unwrap();
        let mut writer = connect(&path, WRITER).unwrap();
        writer.batch_execute("CREATE TABLE t (a)").unwrap();
        for pragmas in [READER, LOCAL_READER] {
            let mut reader = connect(&path, pragmas).unwrap();
            for statement in [
                "INSERT INTO t VALUES (1)",
                "DELETE FROM t",
                "CREATE TABLE u (a)",
                "DROP TABLE t",
                "BEGIN IMMEDIATE; UPDATE t SET a = 2",
                "PRAGMA user_version = 7",
            ] {
                assert!(reader.batch_execute(statement).is_err(), "{statement}");
            }
        }
    }
}
