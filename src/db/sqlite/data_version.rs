//! Whether anybody has written to the file since a connection last read it.

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Integer;
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl};

use super::link::SqliteLink;
use crate::db::dispatch::in_place;
use crate::db::{DbError, Fetch};

/// A number that changes with each commit of another connection, also of another process. Two equal
/// ones, read by one connection that does not write, mean that nothing was committed in between
/// (<https://www.sqlite.org/pragma.html#pragma_data_version>). It must not be read in a
/// transaction, where it would repeat what the transaction sees.
pub(super) fn data_version(link: &mut SqliteLink) -> Result<i32, DbError> {
    in_place(async { Ok(DataVersion.one(link).await?) })
}

#[derive(QueryId)]
struct DataVersion;

impl Query for DataVersion {
    type SqlType = Integer;
}

impl<C> RunQueryDsl<C> for DataVersion {}

impl QueryFragment<Sqlite> for DataVersion {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("PRAGMA data_version");
        Ok(())
    }
}
