//! Maintenance of the file while it is in use: it must still exist, and its log must stay short.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use diesel::sql_types::Integer;
use diesel::{QueryResult, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};

use super::link::SqliteLink;
use super::pools::{Connections, SqlitePools};
use crate::db::{DbError, in_place};

/// How often the files are looked at while nobody uses them.
const LOOK: Duration = Duration::from_secs(1);
/// A write-ahead log longer than this, in bytes, is folded into the file. SQLite moves its pages
/// into the file from 4 MB on, but restarts the log only when nobody reads it, and overlapping
/// searches leave no such moment.
pub(super) const LONG_LOG: u64 = 8 * 1024 * 1024;
/// How long the writer waits for readers outside, which keeps all writers waiting.
const PATIENCE: &str = "PRAGMA busy_timeout = 200";
const USUAL: &str = "PRAGMA busy_timeout = 5000";
/// Time to the next try after one that was in vain.
const REST: Duration = Duration::from_secs(5);

/// Maintains the file until its connections are closed. A writer that finds the log long reports
/// it, so that it is folded before the next regular check.
pub(super) async fn keep(connections: Weak<Connections>, long_log: Arc<Notify>) {
    let mut due = interval(LOOK);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut in_vain: Option<Instant> = None;
    loop {
        tokio::select! {
            _ = due.tick() => {}
            () = long_log.notified() => {}
        }
        let Some(connections) = connections.upgrade() else { return };
        let pools = SqlitePools::from(connections);
        if pools.is_closed() {
            return;
        }
        // A lost file is reported where it is found.
        let Ok(size) = pools.check().await else { continue };
        if size <= LONG_LOG || in_vain.is_some_and(|tried| tried.elapsed() < REST) {
            continue;
        }
        let reported = in_vain.is_some();
        in_vain = match pools.fold().await {
            Ok(true) => None,
            Ok(false) => {
                if !reported {
                    report(&pools, size);
                }
                Some(Instant::now())
            }
            Err(error) => {
                tracing::debug!(%error, "the write-ahead log is not folded yet");
                in_vain
            }
        };
    }
}

fn report(pools: &SqlitePools, size: u64) {
    tracing::warn!(
        "the write-ahead log of {} has {} MiB and cannot be folded, because another process \
         reads the file in a transaction that does not end; usually that is a sqlite3 shell",
        pools.path().display(),
        size / (1024 * 1024)
    );
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

/// Moves all of the write-ahead log into the file and empties it; false where a reader keeps it.
pub(super) fn fold_log(writer: &mut SqliteLink) -> Result<bool, DbError> {
    let fold = writer.spawn_blocking(|connection| {
        let folded = emptied(connection);
        sql_query(USUAL).execute(connection)?;
        folded
    });
    in_place(async { Ok(fold.await?) })
}

fn emptied(connection: &mut SqliteConnection) -> QueryResult<bool> {
    use diesel::connection::SimpleConnection;

    connection.batch_execute(PATIENCE)?;
    let fold = sql_query("PRAGMA wal_checkpoint(TRUNCATE)");
    let checkpoint: Checkpoint = fold.get_result(connection)?;
    Ok(checkpoint.busy == 0)
}
