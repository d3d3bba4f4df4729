//! A connection that is lent to one operation.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use deadpool::managed::Object;
use diesel::result::Error;
use tokio::sync::Notify;

use super::link::SqliteLink;
use super::log::LONG_LOG;
use super::manager::SqliteManager;
use super::served_file::ServedFile;
use crate::db::DbError;

/// What all operations on a file share.
pub(super) struct FileUse {
    pub(super) file: Arc<ServedFile>,
    /// Notified when the write-ahead log is to be folded.
    pub(super) long_log: Notify,
    /// Longest time of a search.
    pub(super) search_time: Duration,
    /// How many threads have a reader of their own.
    pub(super) local_readers: AtomicUsize,
}

impl FileUse {
    /// To be asked before an operation.
    ///
    /// # Errors
    /// When the file was removed or replaced.
    pub(super) fn ensure_served(&self) -> Result<(), DbError> {
        self.file.check().map(drop)
    }

    /// To be asked between a commit and its acknowledgement.
    ///
    /// # Errors
    /// When the file was removed or replaced, and with it perhaps what was committed.
    pub(super) fn ensure_kept(&self) -> Result<(), DbError> {
        let log = self.file.check().map_err(DbError::at_commit)?;
        if log > LONG_LOG {
            self.long_log.notify_one();
        }
        Ok(())
    }
}

/// A connection that is lent to one operation.
pub(crate) struct SqliteLease {
    lent: Object<SqliteManager>,
    shared: Arc<FileUse>,
}

impl SqliteLease {
    pub(super) const fn new(lent: Object<SqliteManager>, shared: Arc<FileUse>) -> Self {
        Self { lent, shared }
    }

    /// To be asked before the operation.
    ///
    /// # Errors
    /// When the file was removed or replaced.
    pub(crate) fn ensure_served(&self) -> Result<(), DbError> {
        self.shared.ensure_served()
    }

    /// From now on the time of a search runs.
    pub(crate) fn begin_search(&self) {
        self.lent.limit.begin(self.shared.search_time);
    }

    /// What became of a search that ended with an error.
    pub(crate) fn search_error(&self, error: Error) -> DbError {
        if self.lent.limit.is_over() { DbError::SearchTooLong } else { error.into() }
    }
}

impl Deref for SqliteLease {
    type Target = SqliteLink;

    fn deref(&self) -> &SqliteLink {
        &self.lent.link
    }
}

impl DerefMut for SqliteLease {
    fn deref_mut(&mut self) -> &mut SqliteLink {
        &mut self.lent.link
    }
}
