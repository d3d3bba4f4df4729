//! Connections that are lost under a read: the server was started again, another one took over, or
//! an administrator ended the session.

use std::time::Instant;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};

use super::PostgresPool;
use crate::metrics::Retry;

/// The connections that one operation has lost. It may lose one.
pub(crate) struct Losses<'a> {
    pool: &'a PostgresPool,
    start: Instant,
    lost: bool,
}

impl<'a> Losses<'a> {
    pub(crate) fn of(pool: &'a PostgresPool) -> Self {
        Self { pool, start: Instant::now(), lost: false }
    }

    /// Was the connection lost, as the first one of this operation? Then the others of its time are
    /// as dead, and the pool makes new ones.
    pub(crate) async fn allow_another(
        &mut self,
        connection: &mut Object<AsyncPgConnection>,
        error: &DieselError,
    ) -> bool {
        if self.lost || !is_lost(self.pool, &mut **connection, error).await {
            return false;
        }
        self.lost = true;
        self.pool.metrics.retries.count(Retry::Read);
        self.pool.forget_before(self.start);
        true
    }
}

/// A server that ends a session says so in an error like any other, since diesel hands no SQLSTATE
/// on, and closes the connection some time later: only a statement tells.
pub(super) async fn is_lost(
    pool: &PostgresPool,
    connection: &mut impl SimpleAsyncConnection,
    error: &DieselError,
) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::UnableToSendCommand, _) => true,
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, _) => {
            let asked = pool.bounded(connection.batch_execute("")).await;
            !matches!(asked, Ok(Ok(())))
        }
        _ => false,
    }
}
