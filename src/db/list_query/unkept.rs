//! Queries of too many forms to keep.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A query that is planned anew each time, for the values that it has: a plan for any values would not
/// know how far a page reaches. Connections keep no statement for each combination of filters.
#[derive(Debug, Clone)]
pub(crate) struct Unkept<Q>(pub(crate) Q);

impl<Q: Query> Query for Unkept<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> QueryId for Unkept<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Unkept<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        self.0.walk_ast(out)
    }
}
