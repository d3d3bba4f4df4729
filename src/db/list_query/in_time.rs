//! Asking whether a search still has time.

use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use diesel::{AppearsOnTable, Expression, QueryResult, SelectableExpression};

/// A condition that every row meets until the time of the search is over; then it is an error. It
/// comes first, because later conditions are not evaluated for rows that an earlier one excludes.
/// PostgreSQL limits the time of a statement by itself.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct InTime;

impl Expression for InTime {
    type SqlType = Bool;
}

impl ValidGrouping<()> for InTime {
    type IsAggregate = is_aggregate::No;
}

impl<QS> AppearsOnTable<QS> for InTime {}

impl<QS> SelectableExpression<QS> for InTime {}

impl QueryFragment<Pg> for InTime {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("TRUE");
        Ok(())
    }
}

impl QueryFragment<Sqlite> for InTime {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("search_goes_on()");
        Ok(())
    }
}
