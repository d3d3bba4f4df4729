//! Asking which labels few tokens have.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Integer, Text};

use crate::domain::label::Label;

/// Most tokens that have a rare label. A page of these is sorted in milliseconds; a page of the
/// tokens with another label is full soon, in whatever order they are read.
const FEW: usize = 5_000;

/// The place of a label that few tokens have, if there is one.
#[derive(Debug, Clone)]
pub(crate) struct RareLabel(pub(crate) Vec<Label>);

impl Query for RareLabel {
    type SqlType = Integer;
}

impl QueryId for RareLabel {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB> QueryFragment<DB> for RareLabel
where
    DB: Backend + HasSqlType<Text>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        for (place, label) in self.0.iter().enumerate() {
            if place > 0 {
                out.push_sql(" UNION ALL ");
            }
            out.push_sql(&format!("SELECT {place} WHERE NOT EXISTS (SELECT 1 FROM "));
            out.push_sql("api_token_labels WHERE key = ");
            out.push_bind_param::<Text, _>(&label.key)?;
            out.push_sql(" AND value = ");
            out.push_bind_param::<Text, _>(&label.value)?;
            out.push_sql(&format!(" LIMIT 1 OFFSET {FEW})"));
        }
        out.push_sql(" LIMIT 1");
        Ok(())
    }
}
