//! The embedded database: one writer and a pool of readers on one file.

mod server_lock;

use std::fmt;
use std::path::{Path, PathBuf};

use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleError, RecycleResult, Timeouts};
use diesel::connection::AnsiTransactionManager;
use diesel::{Connection, QueryResult, SqliteConnection};
use diesel_async::SimpleAsyncConnection;
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use super::{DbError, PoolSettings};

pub(super) use server_lock::Turn;
pub use server_lock::{ServerLock, ServerLockError};

/// `busy_timeout` comes first, because the others may already meet a lock. WAL with `FULL` keeps what
/// was acknowledged over a loss of power; `NORMAL` would not.
const WRITER: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
                      PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
/// Writes nothing, and fails where nothing can be written. `BEGIN IMMEDIATE` would not: it begins a
/// transaction that only reads where the file is read-only.
const PROBE: &str =
    "PRAGMA busy_timeout = 5000; DELETE FROM __diesel_schema_migrations WHERE false;";
const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;";

/// A connection to the file.
pub(crate) type SqliteLink = SyncConnectionWrapper<SqliteConnection, InPlace>;

/// Takes the write lock at once. A transaction that reads first and then wants to write fails with
/// "database is locked" when another one wrote in between, whatever the busy timeout.
pub(crate) async fn begin_immediate(link: &mut SqliteLink) -> QueryResult<()> {
    let begin = |connection: &mut SqliteConnection| {
        AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
    };
    link.spawn_blocking(begin).await
}

/// Moves all of the write-ahead log into the file.
pub(super) fn fold_log(link: &mut SqliteLink) -> Result<(), DbError> {
    let fold = link.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
    super::in_place(async { Ok(fold.await?) })
}

/// Runs what blocks where it is: a whole operation is already on a thread that may block.
pub(crate) struct InPlace;

impl SpawnBlocking for InPlace {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn std::error::Error + Send + Sync>>>
    where
        R: Send + 'static,
    {
        Box::pin(std::future::ready(Ok(task())))
    }

    fn get_runtime() -> Self {
        Self
    }
}

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
    pub(super) fn new(
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

/// Opens a file that exists. SQLite would make a missing one, without tables and readable by all.
fn connect(path: &Path, pragmas: &str) -> Result<SqliteConnection, DbError> {
    if path.exists() { open(path, pragmas) } else { Err(missing(path)) }
}

/// Opens the file for migrations. Turns any file to WAL.
pub(super) fn open_writer(path: &Path) -> Result<SqliteConnection, DbError> {
    connect(path, WRITER)
}

/// Opens the file to look into it, whosever it is.
pub(super) fn open_reader(path: &Path) -> Result<SqliteConnection, DbError> {
    connect(path, READER)
}

fn open(path: &Path, pragmas: &str) -> Result<SqliteConnection, DbError> {
    use diesel::connection::SimpleConnection;

    let unavailable = |error: &dyn fmt::Display| {
        DbError::Unavailable(format!("cannot open {}: {error}", path.display()))
    };
    let text = path.to_str().ok_or_else(|| unavailable(&"the path is not UTF-8"))?;
    let mut connection = SqliteConnection::establish(text).map_err(|error| unavailable(&error))?;
    connection.batch_execute(pragmas).map_err(|error| explained(path, unavailable(&error)))?;
    Ok(connection)
}

/// Refuses a migrated file that can only be read, before anybody relies on it.
fn ensure_writable(path: &Path) -> Result<(), DbError> {
    connect(path, PROBE).map(drop)
}

/// Says of a refused access what may be at fault: SQLite names the file even where the folder is, in
/// which it keeps files beside the database.
pub(super) fn explained(path: &Path, error: DbError) -> DbError {
    match error {
        DbError::Unavailable(text)
            if text.contains("readonly database") || text.contains("unable to open") =>
        {
            let folder = path.parent().unwrap_or(path);
            DbError::Unavailable(format!(
                "{text}; both the file {} and its folder {} must be writable",
                path.display(),
                folder.display()
            ))
        }
        other => other,
    }
}

fn missing(path: &Path) -> DbError {
    DbError::Unavailable(format!(
        "there is no file {}; `tokenwright migrate` makes it",
        path.display()
    ))
}

/// The one name of a file that may have several, through symbolic links.
pub(super) fn real_path(path: &Path) -> Result<PathBuf, DbError> {
    path.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(path),
        _ => DbError::Unavailable(format!("cannot open {}: {error}", path.display())),
    })
}

/// Tells the operator when others may read the file: it holds hashes, names and addresses.
fn warn_of_readers(path: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = path.metadata() {
        let mode = std::os::unix::fs::MetadataExt::mode(&metadata);
        if mode & 0o044 != 0 {
            tracing::warn!(
                "the database file {} can be read by others than its owner (mode {:o}); `chmod 600` \
                 ends that",
                path.display(),
                mode & 0o777
            );
        }
    }
}

/// Makes the file if it is missing, readable by its owner only. SQLite gives the same mode to the
/// files that it keeps beside it.
///
/// # Errors
/// When the folder is missing or may not be written to.
pub(super) fn create_file(path: &Path) -> Result<(), DbError> {
    match private_file().create_new(true).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            let text = format!("cannot make the database file {}: {error}", path.display());
            Err(DbError::Unavailable(text))
        }
        _ => Ok(()),
    }
}

/// A file that is made for its owner only.
pub(super) fn private_file() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_access_names_the_file_and_the_folder() {
        let path = Path::new("/data/t.db");
        let told = |text: &str| explained(path, DbError::Unavailable(text.into())).to_string();
        let readonly = told("attempt to write a readonly database");
        assert!(readonly.contains("file /data/t.db and its folder /data must"));
        assert!(!told("database is locked").contains("folder"));
    }
}
