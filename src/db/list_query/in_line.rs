//! Asking which tokens come from which: a token that was made by another one, or that renewed it,
//! comes from it.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;

use super::condition;
use crate::db::types::{DbId, Id};

/// Is it the id of a token that comes from this one, or of one that this one comes from, at any
/// distance? The token itself is not among them. Deleted tokens are part of a line, so that one
/// that was deleted does not hide what came from it.
#[derive(Debug, Clone)]
pub(crate) struct InLine<C> {
    column: C,
    of: DbId,
    step: &'static str,
}

/// From a token to those that it made and that renewed it; each alternative has an index.
const DOWN: &str = "next.created_user_id = line.user_id OR next.renewed_from_id = line.id";
/// From a token to the one that made it and the one that it renewed.
const UP: &str = "next.user_id = line.created_user_id OR next.id = line.renewed_from_id";

impl<C> InLine<C> {
    /// What comes from the token.
    pub(crate) const fn descendants(column: C, of: DbId) -> Self {
        Self { column, of, step: DOWN }
    }

    /// What the token comes from.
    pub(crate) const fn ancestors(column: C, of: DbId) -> Self {
        Self { column, of, step: UP }
    }
}

impl<C, DB> QueryFragment<DB> for InLine<C>
where
    C: QueryFragment<DB>,
    DB: Backend + HasSqlType<Id>,
    DbId: ToSql<Id, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        const COLUMNS: &str = "id, user_id, created_user_id, renewed_from_id";
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (WITH RECURSIVE line (");
        out.push_sql(COLUMNS);
        out.push_sql(") AS (SELECT ");
        out.push_sql(COLUMNS);
        out.push_sql(" FROM api_tokens WHERE id = ");
        out.push_bind_param::<Id, _>(&self.of)?;
        // UNION leaves out what was found before, so it ends even if a line were a circle.
        out.push_sql(
            " UNION SELECT next.id, next.user_id, next.created_user_id, next.renewed_from_id \
             FROM line JOIN api_tokens next ON ",
        );
        out.push_sql(self.step);
        out.push_sql(") SELECT id FROM line WHERE id <> ");
        out.push_bind_param::<Id, _>(&self.of)?;
        out.push_sql(")");
        Ok(())
    }
}

condition!(InLine);
