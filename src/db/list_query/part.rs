//! A part of a list, or the number of its rows.

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType};

/// A query of a list, with the most rows that it finds.
///
/// With conditions it is planned each time, for its own values: a plan for any values would not
/// know how far a page reaches. Connections do not cache a statement for each combination of
/// filters. Without conditions there are few statements, and each reads a part of an index.
#[derive(Debug, Clone)]
pub(crate) struct Part<Q> {
    query: Q,
    limit: Option<i64>,
    cached: bool,
}

impl<Q> Part<Q> {
    /// The first rows of a query in its order.
    pub(crate) const fn first(query: Q, limit: i64) -> Self {
        Self { query, limit: Some(limit), cached: false }
    }

    /// The number of its rows.
    pub(crate) const fn number(query: Q) -> Self {
        Self { query, limit: None, cached: false }
    }

    /// Whether connections keep the prepared statement.
    pub(crate) fn cached(self, cached: bool) -> Self {
        Self { cached, ..self }
    }
}

impl<Q: Query> Query for Part<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> RunQueryDsl<C> for Part<Q> {}

impl<Q> QueryId for Part<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Part<Q>
where
    DB: HasSqlType<BigInt>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !self.cached {
            out.unsafe_to_cache_prepared();
        }
        self.query.walk_ast(out.reborrow())?;
        if let Some(limit) = &self.limit {
            // Not a bare parameter: SQLite compiles a statement again whenever a value is bound to
            // its LIMIT. Measured, that was a tenth of a list of ten.
            out.push_sql(" LIMIT (0 + ");
            out.push_bind_param::<BigInt, _>(limit)?;
            out.push_sql(")");
        }
        Ok(())
    }
}
