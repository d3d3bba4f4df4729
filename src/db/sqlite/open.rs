//! Opening connections to the file.

use std::fmt;
use std::path::Path;

use diesel::{Connection, SqliteConnection};

use super::file::{explained, missing};
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
    connect(path, WRITER)
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
    connect(path, &format!("{WRITER} {PROBE}"))
}
