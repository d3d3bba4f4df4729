//! The connections to one file, by what they are for.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Pool, RecycleError, RecycleResult, Timeouts};
use diesel::SqliteConnection;
use diesel_async::pooled_connection::PoolableConnection;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::file::warn_of_others;
use super::keeper::{fold_log, keep};
use super::lease::SqliteLease;
use super::link::{InPlace, SqliteLink};
use super::open::{READER, WRITER, connect, open_first};
use super::search_limit::SearchLimit;
use super::served_file::ServedFile;
use crate::db::{DbError, PoolSettings};

/// Connections that search: few, as each keeps a processor busy for as long as it searches.
const SEARCHERS: usize = 2;
/// What an operation may take beyond its own time: waiting for a lock, and for the disk.
const SLACK: Duration = Duration::from_secs(5);

/// The writer and the readers of one file.
#[derive(Clone)]
pub(crate) struct SqlitePools(Arc<Connections>);

/// All open connections to the file.
pub(super) struct Connections {
    writer: Pool<SqliteManager>,
    readers: Pool<SqliteManager>,
    searchers: Pool<SqliteManager>,
    pub(super) file: Arc<ServedFile>,
    /// Notified when the write-ahead log is to be folded.
    pub(super) long_log: Arc<Notify>,
    /// Longest time of a search.
    pub(super) search_time: Duration,
    runtime: Handle,
    /// Closed last: while one connection is open, SQLite leaves the write-ahead log where it is.
    first: Mutex<Option<SqliteConnection>>,
}

impl SqlitePools {
    pub(in crate::db) fn new(
        path: &Path,
        settings: PoolSettings,
        runtime: &Handle,
    ) -> Result<Self, DbError> {
        let first = open_first(path)?;
        let file = Arc::new(ServedFile::open(path)?);
        warn_of_others(path);
        let pool = |pragmas, connections| {
            let manager =
                SqliteManager { file: Arc::clone(&file), pragmas, runtime: runtime.clone() };
            Pool::builder(manager)
                .max_size(connections)
                .runtime(Runtime::Tokio1)
                .timeouts(Timeouts { wait: Some(settings.wait), ..Timeouts::new() })
                .build()
                .map_err(|error| DbError::Unavailable(error.to_string()))
        };
        let connections = Arc::new(Connections {
            writer: pool(WRITER, 1)?,
            readers: pool(READER, settings.connections)?,
            searchers: pool(READER, SEARCHERS)?,
            file: Arc::clone(&file),
            long_log: Arc::default(),
            search_time: settings.statement_timeout,
            runtime: runtime.clone(),
            first: Mutex::new(Some(first)),
        });
        let long_log = Arc::clone(&connections.long_log);
        runtime.spawn(keep(Arc::downgrade(&connections), long_log));
        Ok(Self(connections))
    }

    pub(crate) async fn reader(&self) -> Result<SqliteLease, DbError> {
        self.lease(&self.0.readers, &self.0.readers.timeouts()).await
    }

    pub(crate) async fn searcher(&self) -> Result<SqliteLease, DbError> {
        self.lease(&self.0.searchers, &self.0.searchers.timeouts()).await
    }

    pub(crate) async fn writer(&self) -> Result<SqliteLease, DbError> {
        self.lease(&self.0.writer, &self.0.writer.timeouts()).await
    }

    async fn lease(
        &self,
        pool: &Pool<SqliteManager>,
        timeouts: &Timeouts,
    ) -> Result<SqliteLease, DbError> {
        let lent = pool.timeout_get(timeouts).await;
        let lent = lent.map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(SqliteLease::new(lent, Arc::clone(&self.0)))
    }

    /// The name of the file.
    pub(super) fn path(&self) -> &Path {
        self.0.file.path()
    }

    /// The size of the write-ahead log in bytes.
    pub(super) async fn check(&self) -> Result<u64, DbError> {
        let file = Arc::clone(&self.0.file);
        self.blocking(move || file.check()).await
    }

    /// Empties the write-ahead log while no search reads it; false if an outside reader keeps it.
    /// Searches wait until then, and writers wait for the last part of it.
    pub(super) async fn fold(&self) -> Result<bool, DbError> {
        let wait = Timeouts { wait: Some(self.0.search_time + SLACK), ..Timeouts::new() };
        let mut searchers = Vec::with_capacity(SEARCHERS);
        for _ in 0..SEARCHERS {
            searchers.push(self.lease(&self.0.searchers, &wait).await?);
        }
        let mut writer = self.writer().await?;
        let folded = self.blocking(move || {
            writer.ensure_served()?;
            fold_log(&mut writer)
        });
        let folded = folded.await;
        drop(searchers);
        folded
    }

    /// Empties the write-ahead log and closes all connections, once no operation uses them. If the
    /// file was removed or replaced, which has been reported by then, everything stays open until
    /// the process ends.
    ///
    /// # Errors
    /// When the last step fails; the log then stays next to the file.
    pub(in crate::db) async fn close(&self) -> Result<(), DbError> {
        if self.check().await.is_err() {
            // Closing the last connection would remove the log by its name, which now belongs to
            // another file.
            std::mem::forget(Arc::clone(&self.0));
            return Ok(());
        }
        let mut writer = self.writer().await?;
        let folded = self.blocking(move || fold_log(&mut writer)).await;
        let pools = [&self.0.writer, &self.0.readers, &self.0.searchers];
        pools.iter().for_each(|pool| pool.close());
        let end = Instant::now() + self.0.search_time + SLACK;
        while pools.iter().any(|pool| pool.status().size > 0) && Instant::now() < end {
            sleep(Duration::from_millis(5)).await;
        }
        let connections = Arc::clone(&self.0);
        self.blocking(move || {
            drop(connections.first.lock().unwrap_or_else(PoisonError::into_inner).take());
            Ok(())
        })
        .await?;
        folded.map(drop)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.writer.is_closed()
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let ended = self.0.runtime.spawn_blocking(work).await;
        ended.map_err(|_| DbError::OperationPanicked)?
    }
}

impl From<Arc<Connections>> for SqlitePools {
    fn from(connections: Arc<Connections>) -> Self {
        Self(connections)
    }
}

/// Makes connections on a thread that may block.
pub(crate) struct SqliteManager {
    file: Arc<ServedFile>,
    pragmas: &'static str,
    runtime: Handle,
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
            let limit = SearchLimit::on(&connection)?;
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
