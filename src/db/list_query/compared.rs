//! Comparing a row with a place in its list.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Text};

use super::condition;
use crate::db::types::{DbId, DbInstant, Id, Moment};
use crate::domain::cursor::{Key, Position};

/// `(key, id) > (?, ?)`, or another comparison of a row with a place in its list. Both databases
/// use an index for it. `key > ? OR (key = ? AND id > ?)` means the same, but PostgreSQL reads all
/// rows for it.
#[derive(Debug, Clone)]
pub(crate) struct Compared<C> {
    columns: C,
    operator: &'static str,
    key: Option<DbKey>,
    id: DbId,
}

#[derive(Debug, Clone)]
enum DbKey {
    Instant(DbInstant),
    Text(String),
}

impl<C> Compared<C> {
    /// Compares the columns of key and id; the id alone in a list without a key.
    pub(crate) fn new(columns: C, operator: &'static str, position: Position) -> Self {
        let key = match position.key {
            Key::Nothing => None,
            Key::Instant(instant) => Some(DbKey::Instant(DbInstant(instant))),
            Key::Text(text) => Some(DbKey::Text(text)),
        };
        Self { columns, operator, key, id: DbId(position.id) }
    }
}

impl<C, DB> QueryFragment<DB> for Compared<C>
where
    C: QueryFragment<DB>,
    DB: Backend + HasSqlType<Id> + HasSqlType<Moment> + HasSqlType<Text>,
    DbId: ToSql<Id, DB>,
    DbInstant: ToSql<Moment, DB>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(") ");
        out.push_sql(self.operator);
        out.push_sql(" (");
        match &self.key {
            None => {}
            Some(DbKey::Instant(instant)) => {
                out.push_bind_param::<Moment, _>(instant)?;
                out.push_sql(", ");
            }
            Some(DbKey::Text(text)) => {
                out.push_bind_param::<Text, _>(text)?;
                out.push_sql(", ");
            }
        }
        out.push_bind_param::<Id, _>(&self.id)?;
        out.push_sql(")");
        Ok(())
    }
}

condition!(Compared);
