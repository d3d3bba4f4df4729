//! A copy of the database while a server may use it.
//!
//! `VACUUM INTO` copies what one read transaction sees, so writers go on, and what they write
//! meanwhile is not in the copy. The online interface of SQLite would begin again with every write
//! of another process. Until the copy is done, the write-ahead log cannot be emptied and grows by
//! what is written.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

use super::file::{private_file, sync_folder};
use super::open::{connect, open_reader};
use crate::db::{DatabaseUrl, DbError};

/// Waits for the locks of others, which are short.
const PATIENT: &str = "PRAGMA busy_timeout = 5000;";
/// The bytes that a copy will have, about: those of the pages in use.
const SIZE: &str = "SELECT (page_count - freelist_count) * page_size AS size \
                    FROM pragma_page_count, pragma_freelist_count, pragma_page_size";

/// Why there is no backup. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is not a file.
    #[error("this works on SQLite only; for PostgreSQL see `pg_dump` in docs/postgresql.md")]
    NotSqlite,
    /// There is something under this name.
    #[error("{0} exists already; give the backup a name of its own")]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error("cannot write {path}: {1}; no backup was made", path = .0.display())]
    Unwritable(PathBuf, io::Error),
    /// SQLite found faults in the copy.
    #[error(
        "the copy has faults, so no backup was made: {0}. If they are in the database itself, \
         restore an earlier backup"
    )]
    Damaged(String),
    /// The database cannot be read, or the copy not be written.
    #[error("no backup was made: {0}")]
    Db(#[from] DbError),
}

/// A backup that is being made.
pub struct Backup {
    source: SqliteConnection,
    target: PathBuf,
    part: PathBuf,
    size: u64,
}

/// The file of a backup that is not complete; removed with this, also while the copying goes on.
pub struct PartialFile(PathBuf);

#[derive(QueryableByName)]
struct Size {
    #[diesel(sql_type = BigInt)]
    size: i64,
}

#[derive(QueryableByName)]
struct Fault {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

impl Backup {
    /// Opens the database, and a file beside the target, which must not exist.
    ///
    /// # Errors
    /// When either cannot be used.
    pub fn begin(url: &DatabaseUrl, target: &Path) -> Result<(Self, PartialFile), BackupError> {
        let DatabaseUrl::Sqlite(database) = url else { return Err(BackupError::NotSqlite) };
        ensure_free(target)?;
        let mut source = connect(database, PATIENT)?;
        let size: Size = sql_query(SIZE).get_result(&mut source).map_err(DbError::from)?;
        let mut part = target.as_os_str().to_owned();
        part.push(format!(".{}.partial", std::process::id()));
        let part = PathBuf::from(part);
        let unwritable = |error| BackupError::Unwritable(part.clone(), error);
        private_file().create_new(true).open(&part).map_err(unwritable)?;
        let size = u64::try_from(size.size).unwrap_or(0);
        let unfinished = PartialFile(part.clone());
        Ok((Self { source, target: target.to_owned(), part, size }, unfinished))
    }

    /// The file that grows, and about how large it gets.
    pub fn progress(&self) -> (PathBuf, u64) {
        (self.part.clone(), self.size)
    }

    /// Copies, checks, makes it durable, and gives it its name. Returns its size in bytes.
    ///
    /// # Errors
    /// When one of these fails.
    pub fn run(mut self) -> Result<u64, BackupError> {
        let part = self.part;
        let unwritable = |error| BackupError::Unwritable(part.clone(), error);
        let text = part.to_str().ok_or_else(|| {
            unwritable(io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8"))
        })?;
        sql_query("VACUUM INTO ?").bind::<Text, _>(text).execute(&mut self.source).map_err(
            |error| match DbError::from(error) {
                // The database itself is only read.
                DbError::Unavailable(text) if text.contains("full") => {
                    unwritable(io::Error::new(io::ErrorKind::StorageFull, "the disk is full"))
                }
                other => other.into(),
            },
        )?;
        check(&part).map_err(|fault| match fault {
            CheckError::Faults(faults) => BackupError::Damaged(faults),
            CheckError::Db(error) => error.into(),
        })?;
        let file = File::open(&part).map_err(unwritable)?;
        file.sync_all().map_err(unwritable)?;
        let size = file.metadata().map_err(unwritable)?.len();
        ensure_free(&self.target)?;
        let target = &self.target;
        let unwritable = |error| BackupError::Unwritable(target.clone(), error);
        std::fs::rename(&part, target).map_err(unwritable)?;
        sync_folder(target).map_err(unwritable)?;
        Ok(size)
    }
}

fn ensure_free(target: &Path) -> Result<(), BackupError> {
    match target.symlink_metadata() {
        Ok(_) => Err(BackupError::Exists(target.to_owned())),
        Err(_) => Ok(()),
    }
}

/// What is wrong with a database file.
pub(super) enum CheckError {
    Faults(String),
    Db(DbError),
}

/// Has SQLite look at every page of a file.
pub(super) fn check(path: &Path) -> Result<(), CheckError> {
    let mut connection = open_reader(path).map_err(CheckError::Db)?;
    let found = sql_query("PRAGMA integrity_check(3)").load::<Fault>(&mut connection);
    let found = found.map_err(|error| CheckError::Db(error.into()))?;
    let faults: Vec<String> = found.into_iter().map(|fault| fault.integrity_check).collect();
    if faults == ["ok"] { Ok(()) } else { Err(CheckError::Faults(faults.join("; "))) }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        // After the renaming there is none. The journal is there while SQLite copies.
        let _gone = std::fs::remove_file(&self.0);
        let mut journal = self.0.as_os_str().to_owned();
        journal.push("-journal");
        let _gone = std::fs::remove_file(journal);
    }
}
