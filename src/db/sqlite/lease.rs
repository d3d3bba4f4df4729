//! A connection that is lent to one operation.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use deadpool::managed::Object;
use diesel::result::Error;

use super::keeper::LONG_LOG;
use super::link::SqliteLink;
use super::pools::{Connections, SqliteManager};
use crate::db::DbError;

/// A connection that is lent to one operation.
pub(crate) struct SqliteLease {
    lent: Object<SqliteManager>,
    connections: Arc<Connections>,
}

impl SqliteLease {
    pub(super) const fn new(lent: Object<SqliteManager>, connections: Arc<Connections>) -> Self {
        Self { lent, connections }
    }

    /// To be asked before the operation.
    ///
    /// # Errors
    /// When the file was removed or replaced.
    pub(crate) fn ensure_served(&self) -> Result<(), DbError> {
        self.connections.file.check().map(drop)
    }

    /// To be asked between a commit and its acknowledgement.
    ///
    /// # Errors
    /// When the file was removed or replaced, and with it perhaps what was committed.
    pub(crate) fn ensure_kept(&self) -> Result<(), DbError> {
        let log = self.connections.file.check().map_err(DbError::at_commit)?;
        if log > LONG_LOG {
            self.connections.long_log.notify_one();
        }
        Ok(())
    }

    /// From now on the time of a search runs.
    pub(crate) fn begin_search(&self) {
        self.lent.limit.begin(self.connections.search_time);
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
