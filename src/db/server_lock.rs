//! One server at a time on one SQLite file.
//!
//! Requests would be judged rightly by two, but they would wait for each other's writes, and an
//! operator who starts a second one by mistake would not notice. The lock is the operating system's:
//! it ends with the process, however that ends. It is on a file of its own, because closing any
//! handle on the database file would drop SQLite's own locks.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use super::sqlite::private_file;
use super::{DatabaseUrl, DbError};

/// Held by a running server.
#[derive(Debug)]
pub struct ServerLock {
    _held: Option<File>,
}

/// The lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ServerLockError {
    #[error(
        "another tokenwright server uses {0}; stop it first, or use PostgreSQL for several servers"
    )]
    InUse(PathBuf),
    #[error(transparent)]
    Io(#[from] DbError),
}

impl ServerLock {
    /// Takes the lock. PostgreSQL is there to be shared, so nothing is locked for it.
    ///
    /// # Errors
    /// When another server holds it, or the folder cannot be written to.
    pub fn take(url: &DatabaseUrl) -> Result<Self, ServerLockError> {
        let DatabaseUrl::Sqlite(database) = url else {
            return Ok(Self { _held: None });
        };
        let mut path = database.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let unavailable = |error: std::io::Error| {
            DbError::Unavailable(format!("cannot lock {}: {error}", path.display()))
        };
        let file = private_file()
            .create(true)
            .open(&path)
            .map_err(unavailable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _held: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(ServerLockError::InUse(database.clone())),
            Err(TryLockError::Error(error)) => Err(unavailable(error).into()),
        }
    }
}
