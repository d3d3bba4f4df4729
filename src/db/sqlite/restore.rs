//! A backup in place of the database. Everything that may fail is done on a copy beside it; then
//! names are exchanged. The database that was there is kept under another name.

use std::ffi::OsString;
use std::fs::{File, remove_file, rename};
use std::io;
use std::path::{Path, PathBuf};

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::backup::{CheckError, check};
use super::file::{create_file, private_file, real_path, sync_folder};
use super::open::open_reader;
use super::server_lock::{ServerLock, ServerLockError};
use crate::db::{DatabaseUrl, DbError};

/// What SQLite keeps beside a file, and what a migration does.
const BESIDE: [&str; 3] = ["-wal", "-shm", ".migrating.lock"];

/// The table that every version of ours has.
const OURS: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'api_tokens'";

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Why a backup was not restored. The database is as it was, unless the message says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The database is not a file.
    #[error("this works on SQLite only; for PostgreSQL see docs/postgresql.md")]
    NotSqlite,
    /// The backup cannot be read.
    #[error("cannot read the backup {path}: {1}", path = .0.display())]
    Unreadable(PathBuf, io::Error),
    /// The backup is a part of a database that was in use.
    #[error(
        "{path} has a write-ahead log beside it, so it is a part of a database in use and no \
         backup; make one with `tokenwright admin backup`", path = .0.display()
    )]
    NoBackup(PathBuf),
    /// SQLite found faults in it, or it is no database.
    #[error("the backup {path} is damaged: {1}; take another one", path = .0.display())]
    Damaged(PathBuf, String),
    /// It is the database of something else, or empty.
    #[error("{path} is not a backup of tokenwright: it lacks its tables", path = .0.display())]
    Foreign(PathBuf),
    /// The files cannot be exchanged.
    #[error("cannot write {path}: {1}", path = .0.display())]
    Unwritable(PathBuf, io::Error),
    /// A server runs, or the file cannot be locked.
    #[error(transparent)]
    Lock(#[from] ServerLockError),
    /// A file cannot be made.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A backup that is being restored; nobody can start a server meanwhile.
pub struct Restoration {
    database: PathBuf,
    copy: PathBuf,
    /// There was no database: the file in its place is empty.
    is_new: bool,
    _lock: ServerLock,
}

impl Restoration {
    /// Locks the database, and copies the backup beside it and checks it.
    ///
    /// # Errors
    /// When a server runs, or the backup cannot be used.
    pub fn begin(url: &DatabaseUrl, backup: &Path) -> Result<Self, RestoreError> {
        let DatabaseUrl::Sqlite(database) = url else { return Err(RestoreError::NotSqlite) };
        let unreadable = |error| RestoreError::Unreadable(backup.to_owned(), error);
        let mut from = File::open(backup).map_err(unreadable)?;
        if !from.metadata().map_err(unreadable)?.is_file() {
            return Err(unreadable(io::Error::other("it is no file")));
        }
        if with(backup, "-wal").metadata().is_ok_and(|log| log.len() > 0) {
            return Err(RestoreError::NoBackup(backup.to_owned()));
        }
        let is_new = !database.exists();
        if is_new {
            create_file(database)?;
        }
        let lock = ServerLock::take(url)?;
        let database = real_path(database)?;
        let copy = with(&database, ".restoring");
        let this = Self { database, copy, is_new, _lock: lock };
        this.clear();
        let unwritable = |error| RestoreError::Unwritable(this.copy.clone(), error);
        let mut to = private_file().create_new(true).open(&this.copy).map_err(unwritable)?;
        io::copy(&mut from, &mut to).map_err(unwritable)?;
        to.sync_all().map_err(unwritable)?;
        drop(to);
        check(&this.copy).map_err(|fault| {
            let text = match fault {
                CheckError::Faults(faults) => faults,
                CheckError::Db(error) => error.to_string(),
            };
            RestoreError::Damaged(backup.to_owned(), text)
        })?;
        if !is_ours(&this.copy)? {
            return Err(RestoreError::Foreign(backup.to_owned()));
        }
        Ok(this)
    }

    /// The copy, to be migrated and changed before it takes its place. Close it before the end.
    pub fn copy(&self) -> DatabaseUrl {
        DatabaseUrl::Sqlite(self.copy.clone())
    }

    /// Puts the copy in the place of the database. Returns where the one that was there is now.
    ///
    /// # Errors
    /// When the files cannot be renamed.
    pub fn finish(self) -> Result<Option<PathBuf>, RestoreError> {
        let unwritable = |error| RestoreError::Unwritable(self.database.clone(), error);
        let kept = if self.is_new {
            remove_file(&self.database).map_err(unwritable)?;
            None
        } else {
            let kept = free_name(&self.database);
            for ending in ["", "-wal", "-shm"] {
                match rename(with(&self.database, ending), with(&kept, ending)) {
                    Err(error) if ending.is_empty() || error.kind() != io::ErrorKind::NotFound => {
                        return Err(unwritable(error));
                    }
                    _ => {}
                }
            }
            Some(kept)
        };
        rename(&self.copy, &self.database).map_err(|error| {
            let text = format!("{error}; the database is now {}", with(&self.copy, "").display());
            unwritable(io::Error::new(error.kind(), text))
        })?;
        sync_folder(&self.database).map_err(unwritable)?;
        Ok(kept)
    }

    /// Removes what an earlier attempt left.
    fn clear(&self) {
        for ending in BESIDE.iter().chain(&[""]) {
            let _there_is_none = remove_file(with(&self.copy, ending));
        }
    }
}

impl Drop for Restoration {
    fn drop(&mut self) {
        self.clear();
        let is_empty = self.database.metadata().is_ok_and(|file| file.len() == 0);
        if self.is_new && is_empty {
            let _gone = remove_file(&self.database);
        }
    }
}

fn is_ours(path: &Path) -> Result<bool, DbError> {
    let mut connection = open_reader(path)?;
    let found = sql_query(OURS).load::<Table>(&mut connection);
    Ok(found.map_err(DbError::from)?.iter().any(|table| table.name == "api_tokens"))
}

/// A name beside the database that nothing has.
fn free_name(database: &Path) -> PathBuf {
    let first = with(database, ".before-restore");
    let more = (2..).map(|number| with(&first, &format!("-{number}")));
    let mut names = std::iter::once(first.clone()).chain(more);
    names.find(|name| name.symlink_metadata().is_err()).unwrap_or(first)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
