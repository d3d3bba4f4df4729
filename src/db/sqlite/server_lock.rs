//! One server at a time on one SQLite file, and no migration under it.
//!
//! Two servers would judge requests correctly, but they would wait for the writes of each other,
//! and an operator who starts a second one by mistake would not notice. A migration to a newer
//! version would remove tables that a running server needs.
//!
//! There are two locks. A server holds the database file itself as long as it runs, and a migration
//! holds it while it applies something. To ask for it, a process first takes its turn
//! (`.migrating.lock`, next to the file): a server gives the turn back at once, a migration at its
//! end. So migrations wait for each other, and a server waits for them. A process that has the turn
//! and finds the file locked knows that a server holds it, and will for long.
//!
//! The lock is on the file and not on its name, so that another name (a hard link, the same file
//! mounted in two places) does not bypass it, and removing a lock file does not release it. It is
//! `flock`, which Linux keeps separate from the `fcntl` locks of SQLite: neither waits for the
//! other, and shells, backups and our own commands work alongside a server. It belongs to the open
//! file, not to the process, and is released when the process ends in any way. (Over NFS Linux
//! turns it into an `fcntl` lock of the whole file; the write-ahead log of SQLite does not work
//! there either.) On other systems the two kinds exclude each other, so there the lock is on a file
//! next to the database.
//!
//! Closing any handle on the database file drops the locks that SQLite holds in this process. So
//! the handle is opened before SQLite opens the file, and closed after SQLite has closed it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::file::{private_file, real_path};
use super::served_file::FileId;
use crate::db::{DatabaseUrl, DbError};

/// How long a lock may still be held by a server that is ending, or by a process that was started
/// from one that held it and has not closed its files yet.
const GRACE: Duration = Duration::from_millis(500);

/// Held by a running server.
#[derive(Debug)]
pub struct ServerLock {
    _held: Option<File>,
}

/// The lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum ServerLockError {
    /// Another server uses the file.
    #[error(
        "another tokenwright server uses {0}; stop it first, or use PostgreSQL for several servers"
    )]
    InUse(PathBuf),
    /// The lock file cannot be used.
    #[error(transparent)]
    Io(#[from] DbError),
}

impl ServerLock {
    /// Takes the lock, after migrations in progress. PostgreSQL is made to be shared, so nothing is
    /// locked for it.
    ///
    /// # Errors
    /// When another server holds it, the file is missing, or its folder cannot be written to.
    pub fn take(url: &DatabaseUrl) -> Result<Self, ServerLockError> {
        match url {
            DatabaseUrl::Sqlite(database) => Turn::wait_for(database)?.server_lock(),
            DatabaseUrl::Postgres(_) => Ok(Self { _held: None }),
        }
    }
}

/// The right to ask for the server lock of one file.
#[derive(Debug)]
pub(in crate::db) struct Turn {
    database: PathBuf,
    _held: File,
}

impl Turn {
    /// Waits for the turn. All names of a file lead to the same one.
    pub(in crate::db) fn wait_for(database: &Path) -> Result<Self, ServerLockError> {
        let database = real_path(database)?;
        let path = next_to(&database, ".migrating.lock");
        let file = open(&path)?;
        file.lock().map_err(|error| unavailable(&path, &error))?;
        Ok(Self { database, _held: file })
    }

    /// Takes the server lock.
    pub(in crate::db) fn server_lock(&self) -> Result<ServerLock, ServerLockError> {
        let path = lockable(&self.database);
        let file = open_lockable(&path)?;
        let end = Instant::now() + GRACE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < end => sleep(GRACE / 10),
                Err(TryLockError::WouldBlock) => {
                    return Err(ServerLockError::InUse(self.database.clone()));
                }
                Err(TryLockError::Error(error)) => return Err(unavailable(&path, &error).into()),
            }
        }
        ensure_named(&path, &file)?;
        Ok(ServerLock { _held: Some(file) })
    }
}

/// What the server lock is on.
fn lockable(database: &Path) -> PathBuf {
    if cfg!(target_os = "linux") { database.to_owned() } else { next_to(database, ".lock") }
}

/// Opens it; the database file only for reading, as other code checks whether it can be written.
fn open_lockable(path: &Path) -> Result<File, DbError> {
    if cfg!(target_os = "linux") {
        File::open(path).map_err(|error| unavailable(path, &error))
    } else {
        open(path)
    }
}

/// Refuses a file that lost its name between opening and locking.
fn ensure_named(path: &Path, file: &File) -> Result<(), DbError> {
    let found = path.metadata().and_then(|named| Ok((FileId::of(&named), file.metadata()?)));
    match found {
        Ok((named, held)) if named == FileId::of(&held) => Ok(()),
        Ok(_) => {
            let replaced = std::io::Error::other("it was replaced in the meantime");
            Err(unavailable(path, &replaced))
        }
        Err(error) => Err(unavailable(path, &error)),
    }
}

fn next_to(database: &Path, ending: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn open(path: &Path) -> Result<File, DbError> {
    let file = private_file().create(true).open(path);
    file.map_err(|error| unavailable(path, &error))
}

fn unavailable(path: &Path, error: &std::io::Error) -> DbError {
    let advice = if error.kind() == std::io::ErrorKind::PermissionDenied && path.exists() {
        "it belongs to another user: give it to the one that runs the server (`chown`)"
    } else {
        "the folder of the database must be writable, too"
    };
    DbError::Unavailable(format!("cannot lock {}: {error}; {advice}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_waits_for_a_migration_and_not_for_a_server() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("t.db");
        std::fs::write(&database, "").unwrap();
        let url = DatabaseUrl::Sqlite(database.clone());

        let turn = Turn::wait_for(&database).unwrap();
        let migration = turn.server_lock().unwrap();
        let server = std::thread::spawn({
            let url = url.clone();
            move || ServerLock::take(&url)
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(!server.is_finished());
        drop((migration, turn));
        let server = server.join().unwrap().unwrap();
        let second = ServerLock::take(&url);
        assert!(matches!(second, Err(ServerLockError::InUse(_))));
        drop(server);
        assert!(ServerLock::take(&url).is_ok());
    }
}
