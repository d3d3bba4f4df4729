//! Asking which parts a text has.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Text};
use diesel::sqlite::Sqlite;

use super::condition;

/// Does a text have all of these parts, byte for byte?
#[derive(Debug, Clone)]
pub(crate) struct Includes<C> {
    column: C,
    parts: Vec<String>,
}

impl<C> Includes<C> {
    pub(crate) const fn new(column: C, parts: Vec<String>) -> Self {
        Self { column, parts }
    }

    /// The condition, with the function that finds a part in a text.
    fn walk<'b, DB>(&'b self, find: &str, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        C: QueryFragment<DB>,
        DB: Backend + HasSqlType<Text>,
        String: ToSql<Text, DB>,
    {
        out.push_sql("(TRUE");
        for part in &self.parts {
            out.push_sql(" AND ");
            out.push_sql(find);
            out.push_sql("(");
            self.column.walk_ast(out.reborrow())?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(part)?;
            out.push_sql(") > 0");
        }
        out.push_sql(")");
        Ok(())
    }
}

impl<C: QueryFragment<Pg>> QueryFragment<Pg> for Includes<C> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.walk("strpos", out)
    }
}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Includes<C> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.walk("instr", out)
    }
}

condition!(Includes);
