//! The connections to one file, by what they are for.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Pool, Timeouts};
use diesel::SqliteConnection;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::change::{Awaited, change};
use super::changes::Changes;
use super::file::warn_of_others;
use super::free_space::free_space;
use super::lease::{FileUse, SqliteLease};
use super::link::SqliteLink;
use super::local::{open_reader_here, read_here, search_here, stamp_here};
use super::log::fold_log;
use super::manager::SqliteManager;
use super::open::{READER, WRITER, open_first};
use super::served_file::ServedFile;
use crate::db::{DbError, PoolSettings, Priority, Stamp, count_failure, pool_level};
use crate::metrics::{DatabaseUse, Metrics, PoolLevel};

/// Connections that write: SQLite has one writing transaction at a time.
const WRITERS: usize = 1;
/// Connections that search: few, as each keeps a processor busy for as long as it searches.
const SEARCHERS: usize = 2;
/// What an operation may take beyond its own time: waiting for a lock, and for the disk.
const SLACK: Duration = Duration::from_secs(5);

/// The writer and the readers of one file.
#[derive(Clone)]
pub(crate) struct SqlitePools(Arc<Connections>);

/// All open connections to the file.
struct Connections {
    writer: Pool<SqliteManager>,
    /// What waits for the writer.
    changes: Changes,
    readers: Pool<SqliteManager>,
    searchers: Pool<SqliteManager>,
    shared: Arc<FileUse>,
    metrics: Arc<Metrics>,
    /// Longest wait for a connection, and for the turn of a change.
    wait: Duration,
    runtime: Handle,
    /// Closed last: while one connection is open, SQLite leaves the write-ahead log where it is.
    first: Mutex<Option<SqliteConnection>>,
}

impl SqlitePools {
    pub(super) fn open(
        path: &Path,
        settings: PoolSettings,
        runtime: &Handle,
        metrics: &Arc<Metrics>,
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
            writer: pool(WRITER, WRITERS)?,
            changes: Changes::default(),
            readers: pool(READER, settings.connections)?,
            searchers: pool(READER, SEARCHERS)?,
            shared: Arc::new(FileUse {
                file: Arc::clone(&file),
                long_log: Notify::new(),
                search_time: settings.statement_timeout,
                local_readers: AtomicUsize::new(0),
            }),
            metrics: Arc::clone(metrics),
            wait: settings.wait,
            runtime: runtime.clone(),
            first: Mutex::new(Some(first)),
        });
        Ok(Self(connections))
    }

    /// The pools, for whoever must not keep them open.
    pub(super) fn downgrade(&self) -> WeakPools {
        WeakPools { connections: Arc::downgrade(&self.0), shared: Arc::clone(&self.0.shared) }
    }

    pub(crate) async fn reader(&self) -> Result<SqliteLease, DbError> {
        let _wait = self.0.metrics.database_waits.start(DatabaseUse::Read);
        self.counted(self.lease(&self.0.readers, &self.0.readers.timeouts()).await)
    }

    /// Gives this thread a reader of its own.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(in crate::db) fn open_reader_here(&self) -> Result<(), DbError> {
        open_reader_here(&self.0.shared)
    }

    /// Reads on this thread; `None` where the pool must do it.
    pub(crate) fn read_here<T>(
        &self,
        read: impl FnOnce(&mut SqliteLink) -> Result<T, DbError>,
    ) -> Option<T> {
        read_here(&self.0.shared, read)
    }

    /// The same for a short search, which is left to a searcher where it takes long.
    pub(crate) fn search_here<T>(
        &self,
        search: impl FnOnce(&mut SqliteLink) -> Result<T, DbError>,
    ) -> Option<T> {
        search_here(&self.0.shared, search)
    }

    /// What the file is at, as far as this thread can say.
    pub(in crate::db) fn stamp(&self) -> Option<Stamp> {
        stamp_here(&self.0.shared)
    }

    pub(crate) async fn searcher(&self) -> Result<SqliteLease, DbError> {
        let _wait = self.0.metrics.database_waits.start(DatabaseUse::Search);
        self.counted(self.lease(&self.0.searchers, &self.0.searchers.timeouts()).await)
    }

    /// Runs a change in a transaction, perhaps together with others, and answers once it is
    /// committed. One that nobody waits for any more before it began is left out.
    ///
    /// # Errors
    /// When the body fails, the commit fails, or too many others are before it.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        priority: Priority,
        body: impl FnOnce(&mut SqliteLink) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (metrics, start) = (Arc::clone(&self.0.metrics), Instant::now());
        let (change, Awaited { mut answer, claim }) = change(move |link: &mut SqliteLink| {
            metrics.database_waits.add(DatabaseUse::Write, start.elapsed());
            body(link)
        });
        if self.0.changes.push(priority, change) {
            self.0.runtime.spawn(self.clone().run_changes());
        }
        let answer = match timeout(self.0.wait, &mut answer).await {
            Ok(answer) => answer,
            Err(_) if claim.withdraw() => {
                let refusal = "too many transactions wait for the database already";
                Ok(Err(DbError::Unavailable(refusal.to_owned())))
            }
            Err(_) => answer.await,
        };
        self.counted(answer.unwrap_or(Err(DbError::OperationPanicked)))
    }

    /// Runs what waits for the writer until nothing does. The writer is free between two groups.
    async fn run_changes(self) {
        while self.0.changes.is_waiting() {
            let mut writer = match self.writer().await {
                Ok(writer) => writer,
                Err(error) => {
                    self.0.changes.refuse(&error);
                    continue;
                }
            };
            let connections = Arc::clone(&self.0);
            let group = self.0.runtime.spawn_blocking(move || {
                let Connections { changes, shared, .. } = &*connections;
                changes.run_group(&mut writer, || shared.ensure_served(), || shared.ensure_kept());
            });
            // Those of a group that panics are told so, as nobody answers them.
            let _ended = group.await;
        }
    }

    async fn writer(&self) -> Result<SqliteLease, DbError> {
        self.lease(&self.0.writer, &self.0.writer.timeouts()).await
    }

    async fn lease(
        &self,
        pool: &Pool<SqliteManager>,
        timeouts: &Timeouts,
    ) -> Result<SqliteLease, DbError> {
        let lent = pool.timeout_get(timeouts).await;
        let lent = lent.map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(SqliteLease::new(lent, Arc::clone(&self.0.shared)))
    }

    /// Counts a failure of what was asked for; once, however often it was tried.
    fn counted<T>(&self, answer: Result<T, DbError>) -> Result<T, DbError> {
        answer.inspect_err(|error| count_failure(&self.0.metrics, error))
    }

    /// The connections of each pool.
    pub(in crate::db) fn levels(&self) -> Vec<PoolLevel> {
        let Connections { readers, searchers, writer, .. } = &*self.0;
        [("read", readers), ("search", searchers), ("write", writer)]
            .map(|(name, pool)| pool_level(name, pool.status()))
            .to_vec()
    }

    /// The name of the file.
    pub(super) fn path(&self) -> &Path {
        self.0.shared.file.path()
    }

    /// Bytes that are free on the disk of the file.
    pub(in crate::db) async fn free_space(&self) -> Result<u64, DbError> {
        let file = Arc::clone(&self.0.shared.file);
        self.blocking(move || free_space(file.path())).await
    }

    /// The size of the write-ahead log in bytes.
    pub(super) async fn check(&self) -> Result<u64, DbError> {
        let file = Arc::clone(&self.0.shared.file);
        self.blocking(move || file.check()).await
    }

    /// Empties the write-ahead log while no search reads it; false if an outside reader keeps it.
    /// Searches wait until then, and writers wait for the last part of it.
    pub(super) async fn fold(&self) -> Result<bool, DbError> {
        let wait = Timeouts { wait: Some(self.0.shared.search_time + SLACK), ..Timeouts::new() };
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
        let end = Instant::now() + self.0.shared.search_time + SLACK;
        let in_use = || {
            let local = self.0.shared.local_readers.load(Ordering::Acquire);
            local > 0 || pools.iter().any(|pool| pool.status().size > 0)
        };
        while in_use() && Instant::now() < end {
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

/// Does not keep the connections open.
pub(super) struct WeakPools {
    connections: Weak<Connections>,
    shared: Arc<FileUse>,
}

impl WeakPools {
    /// None once nobody uses the pools.
    pub(super) fn upgrade(&self) -> Option<SqlitePools> {
        self.connections.upgrade().map(SqlitePools)
    }

    /// Waits until a writer finds the write-ahead log long.
    pub(super) async fn long_log(&self) {
        self.shared.long_log.notified().await;
    }
}
