//! The one dispatch: a query body is written once and expanded for each kind of connection.
//!
//! Functions generic over the connection need bounds longer than the queries, and diesel-async has
//! no connection enum; a macro has neither problem, and its errors point at the query's own line.

use diesel::QueryResult;
use diesel_async::{AsyncConnection, TransactionManager};
use futures_util::FutureExt;

use super::DbError;

/// Runs a body that only reads on a connection of the pool, once more on another one if the first
/// is lost: nobody is refused because the database was started again a moment ago.
macro_rules! read_from_pool {
    ($db:expr, $postgres:expr, |$conn:ident| $body:expr) => {{
        let postgres = $postgres.clone();
        let operation = async move {
            let mut losses = $crate::db::Losses::of(&postgres);
            loop {
                let mut lease = postgres.lease().await?;
                let $conn = &mut *lease;
                match postgres.bounded(async { $body }).await {
                    Ok(Ok(answer)) => return Ok(answer),
                    Ok(Err(error)) => {
                        if !losses.allow_another(&mut lease, &error).await {
                            return Err($crate::db::DbError::from(error));
                        }
                    }
                    Err(timed_out) => return Err(timed_out.reading(lease)),
                }
            }
        };
        $db.detached(operation).await
    }};
}

/// Runs a body that only reads: `read!(db, |conn| users::table.load(conn).await)`.
macro_rules! read {
    ($db:expr, |$conn:ident| $body:expr) => {{
        let _timing = $db.timing($crate::metrics::DatabaseUse::Read, module_path!());
        match $db.backend() {
            $crate::db::Backend::Sqlite(sqlite) => {
                let mut lease = Box::pin(sqlite.reader()).await?;
                let operation = async move {
                    lease.ensure_served()?;
                    let $conn = &mut *lease;
                    let answer: diesel::QueryResult<_> = async { $body }.await;
                    Ok(answer?)
                };
                $db.detached_blocking(|| $crate::db::in_place(operation)).await
            }
            $crate::db::Backend::Postgres(postgres) => {
                $crate::db::read_from_pool!($db, postgres, |$conn| $body)
            }
        }
    }};
}

/// Runs a body of one statement that reads a few rows by an index. A thread that is prepared to serve
/// requests does it by itself: on SQLite in place, on PostgreSQL on its lane.
macro_rules! point {
    ($db:expr, |$conn:ident| $body:expr) => {{
        let _timing = $db.timing($crate::metrics::DatabaseUse::Point, module_path!());
        match $db.backend() {
            $crate::db::Backend::Sqlite(sqlite) => {
                let read = move |$conn: &mut $crate::db::SqliteLink| {
                    $crate::db::in_place(async {
                        let answer: diesel::QueryResult<_> = async { $body }.await;
                        Ok(answer?)
                    })
                };
                match sqlite.read_here(&read) {
                    Some(answer) => Ok(answer),
                    None => {
                        let mut lease = Box::pin(sqlite.reader()).await?;
                        let operation = move || {
                            lease.ensure_served()?;
                            read(&mut lease)
                        };
                        $db.detached_blocking(operation).await
                    }
                }
            }
            $crate::db::Backend::Postgres(postgres) => {
                let answer = match postgres.lane_read() {
                    Some((mut link, read)) => {
                        let $conn = &mut link;
                        let answered = Box::pin(postgres.bounded(async { $body })).await;
                        Box::pin(read.end(link, answered)).await
                    }
                    None => None,
                };
                match answer {
                    Some(answer) => $db.counted(answer),
                    None => $crate::db::read_from_pool!($db, postgres, |$conn| $body),
                }
            }
        }
    }};
}

/// Runs a body of one statement that may read past very many rows before it finds any. It does not
/// use the connections that other reads use, and its time is limited; on SQLite that needs `InTime`
/// among its conditions. Its turn lasts until whoever asked has the rows: those that wait for a busy
/// thread take memory that no budget counts yet.
macro_rules! search {
    ($db:expr, |$conn:ident| $body:expr) => {{
        let _timing = $db.timing($crate::metrics::DatabaseUse::Search, module_path!());
        match $db.backend() {
            $crate::db::Backend::Sqlite(sqlite) => {
                let lease = Box::pin(sqlite.searcher()).await?;
                let read = move |$conn: &mut $crate::db::SqliteLink| {
                    $crate::db::in_place(async {
                        let answer: diesel::QueryResult<_> = async { $body }.await;
                        Ok(answer)
                    })
                };
                $db.search_by(lease, read).await
            }
            $crate::db::Backend::Postgres(postgres) => {
                let postgres = postgres.clone();
                let operation = async move {
                    let mut lease = postgres.search_lease().await?;
                    let $conn = &mut *lease.connection;
                    match postgres.bounded(async { $body }).await {
                        Ok(Ok(rows)) => Ok((rows, lease.into_turn())),
                        Ok(Err(error)) => Err(lease.search_error(error)),
                        Err(timed_out) => Err(timed_out.reading(lease.connection)),
                    }
                };
                $db.detached(operation).await.map(|(rows, _turn)| rows)
            }
        }
    }};
}

/// Runs a body of one statement that reads a short part of an index, with `InTime` among its
/// conditions. On SQLite a thread that is prepared to serve requests does it by itself, unless it
/// takes long; elsewhere it is a search.
macro_rules! short_search {
    ($db:expr, |$conn:ident| $body:expr) => {
        match $db.backend() {
            $crate::db::Backend::Sqlite(sqlite) => {
                let _timing = $db.timing($crate::metrics::DatabaseUse::Search, module_path!());
                let read = move |$conn: &mut $crate::db::SqliteLink| {
                    $crate::db::in_place(async {
                        let answer: diesel::QueryResult<_> = async { $body }.await;
                        Ok(answer)
                    })
                };
                match sqlite.search_here(|link| Ok(read(link)??)) {
                    Some(answer) => Ok(answer),
                    None => {
                        let lease = Box::pin(sqlite.searcher()).await?;
                        $db.search_by(lease, read).await
                    }
                }
            }
            $crate::db::Backend::Postgres(_) => $crate::db::search!($db, |$conn| $body),
        }
    };
}

/// Runs a body in a transaction, on SQLite perhaps together with others. An error rolls back what
/// the body did. It queues behind all others, unless a
/// [`Priority`](super::Priority) says otherwise: `write_tx!(db, priority, |conn| ..)`.
macro_rules! write_tx {
    ($db:expr, |$conn:ident| $body:expr) => {
        $crate::db::write_tx!($db, $crate::db::Priority::Usual, |$conn| $body)
    };
    ($db:expr, $priority:expr, |$conn:ident| $body:expr) => {{
        let _timing = $db.timing($crate::metrics::DatabaseUse::Write, module_path!());
        match $db.backend() {
            $crate::db::Backend::Sqlite(sqlite) => {
                let body = move |$conn: &mut $crate::db::SqliteLink| {
                    $crate::db::in_place(async {
                        let answer: diesel::QueryResult<_> = async { $body }.await;
                        Ok(answer?)
                    })
                };
                Box::pin(sqlite.write($priority, body)).await
            }
            $crate::db::Backend::Postgres(postgres) => {
                let (postgres, priority) = (postgres.clone(), $priority);
                let operation = async move {
                    let mut lease = postgres.write_lease(priority).await?;
                    let $conn = &mut *lease.connection;
                    let transaction = async {
                        $crate::db::begin_read_committed($conn).await?;
                        let answer = async { $body }.await;
                        $crate::db::end($conn, answer).await
                    };
                    match postgres.bounded(transaction).await {
                        Ok(outcome) => outcome,
                        Err(timed_out) => Err(timed_out.writing(lease)),
                    }
                };
                $db.detached(operation).await
            }
        }
    }};
}

pub(crate) use {point, read, read_from_pool, search, short_search, write_tx};

/// Drives a SQLite body, whose futures are all ready at once. One that waits for anything else
/// would hold the thread forever, so it is refused.
pub(crate) fn in_place<T>(
    operation: impl Future<Output = Result<T, DbError>>,
) -> Result<T, DbError> {
    operation.now_or_never().unwrap_or(Err(DbError::OperationPanicked))
}

/// Commits a success and rolls a failure back.
pub(crate) async fn end<C: AsyncConnection, T>(
    connection: &mut C,
    answer: QueryResult<T>,
) -> Result<T, DbError> {
    match answer {
        Ok(value) => {
            let committed = C::TransactionManager::commit_transaction(connection).await;
            committed.map_err(|error| DbError::from(error).at_commit())?;
            Ok(value)
        }
        Err(error) => {
            // The cause counts; a connection whose roll-back fails is not handed out again.
            let _rolled_back = C::TransactionManager::rollback_transaction(connection).await;
            Err(error.into())
        }
    }
}
