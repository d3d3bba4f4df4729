//! Connections to write on. Writes may wait: for a lock, or for a standby that is away.

use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::PostgresPool;

const COMMITS_WAIT: &str = "EXISTS (SELECT FROM pg_stat_activity \
                            WHERE usename = session_user AND wait_event = 'SyncRep')";

/// A connection to write on, and the turn to.
pub(crate) struct WriteLease {
    // The connection goes back to the pool before the turn is free.
    pub(crate) connection: Object<AsyncPgConnection>,
    turn: OwnedSemaphorePermit,
    /// What let it through the gate.
    pass: Option<OwnedSemaphorePermit>,
}

impl WriteLease {
    pub(super) const fn new(
        connection: Object<AsyncPgConnection>,
        turn: OwnedSemaphorePermit,
        pass: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self { connection, turn, pass }
    }

    /// Removes the connection of a transaction that nobody waits for from the pool. A commit that
    /// waits for a standby stays on the server even if the client hangs up, so it keeps its turn;
    /// otherwise each further commit would take another connection of the server.
    pub(super) fn abandon(self, pool: PostgresPool) {
        let Self { mut connection, turn, pass } = self;
        tokio::spawn(async move {
            // Answered after what is under way.
            let mut answered = Box::pin(connection.batch_execute(""));
            while commits_wait(&pool).await && timeout(pool.limit, &mut answered).await.is_err() {}
            drop(answered);
            drop(Object::take(connection));
            drop((turn, pass));
        });
    }
}

/// Does the server say that commits wait for a standby?
async fn commits_wait(pool: &PostgresPool) -> bool {
    let Ok(mut lease) = pool.lease().await else { return false };
    let asked = diesel::select(sql::<Bool>(COMMITS_WAIT)).get_result(&mut *lease);
    match pool.bounded(asked).await {
        Ok(answer) => answer.unwrap_or(false),
        Err(timed_out) => {
            timed_out.reading(lease);
            false
        }
    }
}
