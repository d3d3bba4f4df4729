//! A connection to the file, as queries use it.

use diesel::connection::AnsiTransactionManager;
use diesel::{QueryResult, SqliteConnection};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use futures_util::future::BoxFuture;

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
