//! Connections to search on.

use std::time::{Duration, Instant};

use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Object;
use tokio::sync::OwnedSemaphorePermit;

use crate::db::DbError;

/// A connection to search on, and the turn to.
pub(crate) struct SearchLease {
    // The connection goes back to the pool before the turn is free.
    pub(crate) connection: Object<AsyncPgConnection>,
    started: Instant,
    /// The server ends a statement that takes longer.
    limit: Duration,
    turn: OwnedSemaphorePermit,
}

impl SearchLease {
    pub(super) fn new(
        connection: Object<AsyncPgConnection>,
        limit: Duration,
        turn: OwnedSemaphorePermit,
    ) -> Self {
        Self { connection, started: Instant::now(), limit, turn }
    }

    /// Gives the connection back and keeps the turn.
    pub(crate) fn into_turn(self) -> OwnedSemaphorePermit {
        self.turn
    }

    /// What became of a search that ended with an error. The code of the server's error does not
    /// come through diesel, and its text is in the server's language.
    pub(crate) fn search_error(&self, error: Error) -> DbError {
        match error {
            Error::DatabaseError(DatabaseErrorKind::Unknown, _)
                if self.started.elapsed() >= self.limit =>
            {
                DbError::SearchTooLong
            }
            other => other.into(),
        }
    }
}
