//! Inserting all labels of a token by one statement, which diesel does not do over an asynchronous
//! connection to SQLite.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Text};

use crate::db::{DbId, DbInstant, Id, Moment};
use crate::domain::api_token::ApiToken;
use crate::domain::label::Labels;

/// The rows by which a token is found through its labels.
pub(in crate::repository) struct InsertLabels {
    token: DbId,
    labels: Labels,
    creation_date: DbInstant,
}

impl InsertLabels {
    /// Those of a token that has labels.
    pub(in crate::repository) fn of(token: &ApiToken) -> Option<Self> {
        (!token.labels.is_empty()).then(|| Self {
            token: DbId(token.id.uuid()),
            labels: token.labels.clone(),
            creation_date: DbInstant(token.creation_date),
        })
    }
}

impl QueryId for InsertLabels {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB> QueryFragment<DB> for InsertLabels
where
    DB: Backend + HasSqlType<Id> + HasSqlType<Moment> + HasSqlType<Text>,
    DbId: ToSql<Id, DB>,
    DbInstant: ToSql<Moment, DB>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql(
            "INSERT INTO api_token_labels (api_token_id, key, value, creation_date) VALUES ",
        );
        for (index, label) in self.labels.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { ", (" });
            out.push_bind_param::<Id, _>(&self.token)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&label.key)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&label.value)?;
            out.push_sql(", ");
            out.push_bind_param::<Moment, _>(&self.creation_date)?;
            out.push_sql(")");
        }
        Ok(())
    }
}
