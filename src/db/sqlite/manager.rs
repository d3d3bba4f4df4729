//! Makes the connections of the pools.

use std::fmt;
use std::sync::Arc;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use diesel_async::pooled_connection::PoolableConnection;
use tokio::runtime::Handle;

use super::link::{InPlace, SqliteLink};
use super::open::connect;
use super::search_limit::{ROWS, SearchLimit};
use super::served_file::ServedFile;
use crate::db::DbError;

/// Makes connections on a thread that may block.
pub(crate) struct SqliteManager {
    pub(super) file: Arc<ServedFile>,
    pub(super) pragmas: &'static str,
    pub(super) runtime: Handle,
}

/// A connection, and the time of what it searches for.
pub(crate) struct Connected {
    pub(super) link: SqliteLink,
    pub(super) limit: SearchLimit,
}

impl fmt::Debug for SqliteManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteManager").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Manager for SqliteManager {
    type Type = Connected;
    type Error = DbError;

    async fn create(&self) -> Result<Connected, DbError> {
        let (file, pragmas) = (Arc::clone(&self.file), self.pragmas);
        let opened = self.runtime.spawn_blocking(move || {
            file.check()?;
            let connection = connect(file.path(), pragmas)?;
            // It was this file that was opened, if it was there before and still is.
            file.check()?;
            let limit = SearchLimit::on(&connection, ROWS)?;
            Ok::<_, DbError>((connection, limit))
        });
        let (connection, limit) = opened.await.map_err(|_| DbError::OperationPanicked)??;
        Ok(Connected { link: SqliteLink::with_runtime(connection, InPlace), limit })
    }

    async fn recycle(&self, connected: &mut Connected, _: &Metrics) -> RecycleResult<DbError> {
        if connected.link.is_broken() {
            return Err(RecycleError::message("a transaction was left open"));
        }
        Ok(())
    }
}
