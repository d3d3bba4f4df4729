//! Connections, transactions and column types. With `repository`, the only layer that knows diesel.

mod dispatch;
mod error;
mod fetch;
mod key_locks;
mod list_query;
mod migrate;
mod now;
mod postgres;
mod priority;
mod schema;
mod share_lock;
mod sqlite;
mod stamp;
mod types;
mod url;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use diesel::QueryResult;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tracing::{Instrument, Span};

use crate::metrics::{DatabaseUse, Metrics, PoolLevel, Timing};
use crate::trace;
use sqlite::SqliteLease;

pub(crate) use dispatch::{
    end, in_place, point, read, read_from_pool, search, short_search, write_tx,
};
pub use error::DbError;
pub(crate) use fetch::Fetch;
pub(crate) use key_locks::{KeyLocks, LockKeys};
pub(crate) use list_query::{
    Compared, HoldsAll, InLine, InTime, Includes, Part, RareLabel, contains,
};
pub use migrate::{MigrateError, MigrationState, migrate, migration_state};
pub(crate) use now::{ClockMark, ClockReading, Now};
pub(crate) use postgres::{Losses, begin_read_committed};
pub(crate) use priority::Priority;
pub(crate) use schema::{
    api_token_labels, api_tokens, audit_events, audit_log, audit_tail, expiry_looks,
    expiry_notices, idempotency_keys, name_keys, permissions, policy, users,
};
pub(crate) use share_lock::{KeyShared, Locked};
pub use sqlite::{Backup, BackupError, Restoration, RestoreError, ServerLock, ServerLockError};
pub(crate) use sqlite::{SqliteLink, private_file, sync_folder};
pub(crate) use stamp::Stamp;
pub(crate) use types::{
    DbId, DbInstant, DbLabels, DbNetworks, DbPermissions, DbTexts, Id, Moment, stored_label,
};
pub use url::{DatabaseUrl, InvalidDatabaseUrl};

/// How connections are held.
#[derive(Debug, Clone, Copy)]
pub struct PoolSettings {
    /// Most connections to PostgreSQL, or readers of the SQLite file.
    pub connections: usize,
    /// Longest wait for a free connection, and for a new one.
    pub wait: Duration,
    /// Longest time of one statement on PostgreSQL, and of one search on SQLite.
    pub statement_timeout: Duration,
    /// Longest time that a transaction may wait for its next statement; PostgreSQL only.
    pub idle_transaction_timeout: Duration,
}

/// The database that the URL names. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    backend: Backend,
    runtime: Handle,
    metrics: Arc<Metrics>,
}

/// One of the two kinds of database.
#[derive(Clone)]
pub(crate) enum Backend {
    Sqlite(sqlite::SqlitePools),
    Postgres(postgres::PostgresPool),
}

impl Backend {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }
}

/// An operation that is under way.
pub(crate) struct Observed<'a> {
    _timing: Timing<'a, DatabaseUse>,
    _span: Span,
}

impl Database {
    /// Prepares the pools. Connections are made when they are first needed.
    ///
    /// `runtime` must be multi-threaded: every operation runs there, detached, to its end, even if
    /// nobody waits for it. An operation that was dropped half way would leave its transaction
    /// open. `threads` are going to be prepared to serve requests. `metrics` counts waits and
    /// operations.
    ///
    /// # Errors
    /// When the root certificates that the URL asks for cannot be read.
    pub fn open(
        url: &DatabaseUrl,
        settings: PoolSettings,
        threads: usize,
        runtime: Handle,
        metrics: Arc<Metrics>,
    ) -> Result<Self, DbError> {
        let backend = match url {
            DatabaseUrl::Sqlite(path) => {
                Backend::Sqlite(sqlite::open_pools(path, settings, &runtime, &metrics)?)
            }
            DatabaseUrl::Postgres(target) => {
                Backend::Postgres(postgres::PostgresPool::new(target, settings, threads, &metrics)?)
            }
        };
        Ok(Self { backend, runtime, metrics })
    }

    /// Closes the database cleanly. Nothing is lost without it, but afterwards the SQLite file is
    /// complete without its write-ahead log.
    ///
    /// # Errors
    /// When the last step fails; the write-ahead log then stays next to the file.
    pub async fn close(&self) -> Result<(), DbError> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => {
                postgres.close();
                Ok(())
            }
        }
    }

    /// Prepares this thread to serve requests: what takes no longer than to ask another thread is
    /// read on it.
    ///
    /// # Errors
    /// When the file cannot be opened. The thread can serve requests all the same.
    pub fn prepare_thread(&self) -> Result<(), DbError> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.open_reader_here(),
            Backend::Postgres(postgres) => {
                postgres.open_lane_here();
                Ok(())
            }
        }
    }

    /// What the database is at. `None` where only the rows themselves can tell: on PostgreSQL, and
    /// on a thread that was not prepared.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.stamp(),
            Backend::Postgres(_) => None,
        }
    }

    /// Bytes that are free on the disk of the file; a server keeps its own.
    pub(crate) async fn free_space(&self) -> Result<Option<u64>, DbError> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.free_space().await.map(Some),
            Backend::Postgres(_) => Ok(None),
        }
    }

    /// The kind of database, and its connections by what they are for.
    pub(crate) fn pools(&self) -> (&'static str, Vec<PoolLevel>) {
        let pools = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.levels(),
            Backend::Postgres(postgres) => vec![postgres.level()],
        };
        (self.backend.kind(), pools)
    }

    /// Measures and traces an operation until what is returned is dropped. `module` is where its
    /// query is.
    pub(crate) fn timing(&self, used_for: DatabaseUse, module: &'static str) -> Observed<'_> {
        let system = self.backend.kind();
        Observed {
            _timing: self.metrics.database_operations.start(used_for),
            _span: trace::database(system, used_for, module),
        }
    }

    pub(crate) const fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Runs an operation that waits for a server. Boxed, as all of these: whoever asks the database
    /// is a part of larger futures, which are moved about.
    pub(crate) fn detached<T, F>(&self, operation: F) -> BoxFuture<'_, Result<T, DbError>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DbError>> + Send + 'static,
    {
        let running = self.runtime.spawn(operation.in_current_span());
        async { self.counted(running.await.unwrap_or(Err(DbError::OperationPanicked))) }.boxed()
    }

    /// Runs an operation that computes and waits for a disk.
    pub(crate) fn detached_blocking<T, F>(&self, operation: F) -> BoxFuture<'_, Result<T, DbError>>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, DbError> + Send + 'static,
    {
        let span = Span::current();
        let running = self.runtime.spawn_blocking(move || span.in_scope(operation));
        async { self.counted(running.await.unwrap_or(Err(DbError::OperationPanicked))) }.boxed()
    }

    /// Searches with the connection of a searcher, whose turn ends when its rows are taken.
    pub(crate) async fn search_by<T: Send + 'static>(
        &self,
        mut lease: SqliteLease,
        read: impl FnOnce(&mut SqliteLink) -> Result<QueryResult<T>, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let searching = self.detached_blocking(move || {
            lease.ensure_served()?;
            lease.begin_search();
            match read(&mut lease)? {
                Ok(rows) => Ok((rows, lease)),
                Err(error) => Err(lease.search_error(error)),
            }
        });
        searching.await.map(|(rows, _turn)| rows)
    }

    /// Counts a failure.
    pub(crate) fn counted<T>(&self, answer: Result<T, DbError>) -> Result<T, DbError> {
        if let Err(error) = &answer {
            count_failure(&self.metrics, error);
        }
        answer
    }
}

fn count_failure(metrics: &Metrics, error: &DbError) {
    if let Some(failure) = error.failure() {
        metrics.database_failures.count(failure);
    }
}

/// What a pool says of itself.
fn pool_level(pool: &'static str, status: deadpool::Status) -> PoolLevel {
    let idle = status.available;
    let in_use = status.size.saturating_sub(idle);
    PoolLevel { pool, in_use, idle, most: status.max_size, waiting: status.waiting }
}
