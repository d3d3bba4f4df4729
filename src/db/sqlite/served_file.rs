//! Whether the open files are still the ones that their names lead to.
//!
//! SQLite keeps using the file that it opened, whatever happens to its name. What is written to a
//! removed file is lost with the process, and a file that replaces it is never read. So each
//! operation checks first, and a transaction checks again before it is acknowledged. That costs two
//! calls of `stat`, about a microsecond.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::file::real_path;
use crate::db::DbError;

/// The database file and the write-ahead log next to it, as they were when they were opened.
#[derive(Debug)]
pub(super) struct ServedFile {
    path: PathBuf,
    file: FileId,
    log_path: PathBuf,
    log: FileId,
    /// Set once a file was found missing or replaced: after that nothing is trusted.
    lost: OnceLock<DbError>,
}

/// What a name leads to: a device and a number on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(metadata.dev(), metadata.ino())
    }

    /// Elsewhere an open file cannot be removed or replaced.
    #[cfg(not(unix))]
    pub(super) const fn of(_: &Metadata) -> Self {
        Self(0, 0)
    }
}

impl ServedFile {
    /// The files of a connection in WAL mode that stays open: without any, SQLite removes the log.
    pub(super) fn open(path: &Path) -> Result<Self, DbError> {
        let log_path = log_beside(&real_path(path)?);
        let id = |path: &Path| match path.metadata() {
            Ok(metadata) => Ok(FileId::of(&metadata)),
            Err(error) => Err(unreadable(path, &error)),
        };
        let (file, log) = (id(path)?, id(&log_path)?);
        Ok(Self { path: path.to_owned(), file, log_path, log, lost: OnceLock::new() })
    }

    /// The name of the database file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The size of the write-ahead log in bytes.
    ///
    /// # Errors
    /// When one of the files is not the open one. The error is permanent: only a restart ensures
    /// that all connections use the same file.
    pub(super) fn check(&self) -> Result<u64, DbError> {
        if let Some(lost) = self.lost.get() {
            return Err(lost.clone());
        }
        self.identify(&self.path, self.file)?;
        let log = self.identify(&self.log_path, self.log)?;
        Ok(log.len())
    }

    fn identify(&self, path: &Path, expected: FileId) -> Result<Metadata, DbError> {
        match path.metadata() {
            Ok(metadata) if FileId::of(&metadata) == expected => Ok(metadata),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(unreadable(path, &error)),
            _ => Err(self.lose(path)),
        }
    }

    fn lose(&self, path: &Path) -> DbError {
        let lost = self.lost.get_or_init(|| {
            let text = format!(
                "{} was removed or replaced while the server uses it; restart the server on the \
                 file that it is to use",
                path.display()
            );
            tracing::error!("every request fails from now on: {text}");
            DbError::Unavailable(text)
        });
        lost.clone()
    }
}

fn log_beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}

fn unreadable(path: &Path, error: &std::io::Error) -> DbError {
    DbError::Unavailable(format!("cannot look at {}: {error}", path.display()))
}
