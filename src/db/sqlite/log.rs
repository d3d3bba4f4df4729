//! The write-ahead log: how long it may get, and moving it into the file.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Integer;
use diesel::{QueryResult, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

use super::link::SqliteLink;
use crate::db::{DbError, in_place};

/// A write-ahead log longer than this, in bytes, is folded into the file. SQLite moves its pages
/// into the file from 4 MB on, but restarts the log only when nobody reads it, and overlapping
/// searches leave no such moment.
pub(super) const LONG_LOG: u64 = 8 * 1024 * 1024;
/// How long the writer waits for readers outside, which keeps all writers waiting.
const PATIENCE: &str = "PRAGMA busy_timeout = 200";
const USUAL: &str = "PRAGMA busy_timeout = 5000";

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
    connection.batch_execute(PATIENCE)?;
    let fold = sql_query("PRAGMA wal_checkpoint(TRUNCATE)");
    let checkpoint: Checkpoint = fold.get_result(connection)?;
    Ok(checkpoint.busy == 0)
}
