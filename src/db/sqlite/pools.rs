//! The connections to one file, by what they are for.

use std::fmt;
use std::path::{Path, PathBuf};

use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleError, RecycleResult, Timeouts};
use diesel_async::pooled_connection::PoolableConnection;
use tokio::runtime::Handle;

use super::file::warn_of_readers;
use super::link::{InPlace, SqliteLink};
use super::open::{READER, WRITER, connect, ensure_writable};
use crate::db::{DbError, PoolSettings};

/// Connections that search: few, as each keeps a processor busy for as long as it searches.
const SEARCHERS: usize = 2;

/// The writer and the readers of one file.
#[derive(Clone)]
pub(crate) struct SqlitePools {
    writer: Pool<SqliteManager>,
    readers: Pool<SqliteManager>,
    searchers: Pool<SqliteManager>,
}

impl SqlitePools {
    pub(in crate::db) fn new(
        path: &Path,
        settings: PoolSettings,
        runtime: &Handle,
    ) -> Result<Self, DbError> {
        ensure_writable(path)?;
        warn_of_readers(path);
        let pool = |pragmas, connections| {
            let manager =
                SqliteManager { path: path.to_owned(), pragmas, runtime: runtime.clone() };
            Pool::builder(manager)
                .max_size(connections)
                .runtime(Runtime::Tokio1)
                .timeouts(Timeouts { wait: Some(settings.wait), ..Timeouts::new() })
                .build()
                .map_err(|error| DbError::Unavailable(error.to_string()))
        };
        Ok(Self {
            writer: pool(WRITER, 1)?,
            readers: pool(READER, settings.connections)?,
            searchers: pool(READER, SEARCHERS)?,
        })
    }

    pub(crate) async fn reader(&self) -> Result<Object<SqliteManager>, DbError> {
        lease(&self.readers).await
    }

    pub(crate) async fn searcher(&self) -> Result<Object<SqliteManager>, DbError> {
        lease(&self.searchers).await
    }

    pub(crate) async fn writer(&self) -> Result<Object<SqliteManager>, DbError> {
        lease(&self.writer).await
    }
}

async fn lease(pool: &Pool<SqliteManager>) -> Result<Object<SqliteManager>, DbError> {
    pool.get().await.map_err(|error| DbError::Unavailable(error.to_string()))
}

/// Makes connections on a thread that may block.
pub(crate) struct SqliteManager {
    path: PathBuf,
    pragmas: &'static str,
    runtime: Handle,
}

impl fmt::Debug for SqliteManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteManager").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Manager for SqliteManager {
    type Type = SqliteLink;
    type Error = DbError;

    async fn create(&self) -> Result<SqliteLink, DbError> {
        let (path, pragmas) = (self.path.clone(), self.pragmas);
        let opened = self.runtime.spawn_blocking(move || connect(&path, pragmas)).await;
        let connection = opened.map_err(|_| DbError::OperationPanicked)??;
        Ok(SqliteLink::with_runtime(connection, InPlace))
    }

    async fn recycle(&self, link: &mut SqliteLink, _: &Metrics) -> RecycleResult<DbError> {
        if link.is_broken() {
            return Err(RecycleError::message("a transaction was left open"));
        }
        Ok(())
    }
}
