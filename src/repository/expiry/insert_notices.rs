//! Inserting notices by one statement, which says which of them were not there yet.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Integer};

use crate::db::{DbId, DbInstant, Id, Moment};
use crate::domain::expiry_notice::ExpiryNotice;

/// The insertion of some notices, at most one of each token. Its rows are the tokens of those that
/// it has inserted: for the others somebody else was faster.
#[derive(Debug, Clone)]
pub(super) struct InsertNotices(Vec<(DbId, DbInstant, i32)>);

impl InsertNotices {
    /// Inserts these.
    pub(super) fn of(notices: &[ExpiryNotice]) -> Self {
        let row = |notice: &ExpiryNotice| {
            (DbId(notice.token.uuid()), DbInstant(notice.expiry), notice.time.seconds())
        };
        Self(notices.iter().map(row).collect())
    }
}

impl Query for InsertNotices {
    type SqlType = Id;
}

impl QueryId for InsertNotices {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB> QueryFragment<DB> for InsertNotices
where
    DB: Backend + HasSqlType<Id> + HasSqlType<Moment> + HasSqlType<Integer>,
    DbId: ToSql<Id, DB>,
    DbInstant: ToSql<Moment, DB>,
    i32: ToSql<Integer, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("INSERT INTO expiry_notices (api_token_id, expiry, seconds) VALUES ");
        for (index, (id, expiry, seconds)) in self.0.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { ", (" });
            out.push_bind_param::<Id, _>(id)?;
            out.push_sql(", ");
            out.push_bind_param::<Moment, _>(expiry)?;
            out.push_sql(", ");
            out.push_bind_param::<Integer, _>(seconds)?;
            out.push_sql(")");
        }
        out.push_sql(" ON CONFLICT DO NOTHING RETURNING api_token_id");
        Ok(())
    }
}
