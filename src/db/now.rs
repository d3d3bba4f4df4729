//! The time by which a database decides.
//!
//! On PostgreSQL that is the clock of the database: instances whose clocks differ still agree. It
//! is `clock_timestamp()` and not `now()`, which stays at the start of the transaction, however
//! long that waits. On SQLite it is the clock of the one server.

use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{AppearsOnTable, Expression, QueryResult, SelectableExpression};

use super::types::{DbInstant, Moment};

/// What the clock says that decides; on SQLite this value, to be taken right before the statement.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct ClockReading(pub(crate) DbInstant);

/// The latest time at which the database was told what the time is.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct ClockMark;

/// The time by which a statement decides: what the clock says, but no earlier than this latest time
/// that was seen. On SQLite it is this value, to be taken right before the statement.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct Now {
    /// The latest time that was seen.
    pub(crate) seen: DbInstant,
    /// The time now, by the clock of this process.
    pub(crate) own: DbInstant,
}

macro_rules! instant {
    ($name:ident) => {
        impl Expression for $name {
            type SqlType = Moment;
        }

        impl ValidGrouping<()> for $name {
            type IsAggregate = is_aggregate::Never;
        }

        impl<QS> AppearsOnTable<QS> for $name {}

        impl<QS> SelectableExpression<QS> for $name {}
    };
}

instant!(ClockReading);
instant!(ClockMark);
instant!(Now);

impl QueryFragment<Pg> for ClockReading {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("clock_timestamp()");
        Ok(())
    }
}

impl QueryFragment<Sqlite> for ClockReading {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<Moment, _>(&self.0)
    }
}

impl QueryFragment<Pg> for ClockMark {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(SELECT clock FROM audit_tail)");
        Ok(())
    }
}

impl QueryFragment<Sqlite> for ClockMark {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("(SELECT clock FROM audit_tail)");
        Ok(())
    }
}

impl QueryFragment<Pg> for Now {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("GREATEST(clock_timestamp(), ");
        out.push_bind_param::<Moment, _>(&self.seen)?;
        out.push_sql(")");
        Ok(())
    }
}

impl QueryFragment<Sqlite> for Now {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<Moment, _>(&self.own)
    }
}
