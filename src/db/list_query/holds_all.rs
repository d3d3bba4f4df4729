//! Asking what a stored list holds.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;

use super::condition;
use crate::db::types::{DbTexts, TextList};

/// Does a list of texts hold all of these?
#[derive(Debug, Clone)]
pub(crate) struct HoldsAll<C> {
    column: C,
    texts: DbTexts,
    /// The texts as JSON strings.
    json: Vec<String>,
}

impl<C> HoldsAll<C> {
    pub(crate) fn new(column: C, texts: DbTexts) -> Self {
        let json =
            texts.0.iter().map(|text| serde_json::Value::from(&**text).to_string()).collect();
        Self { column, texts, json }
    }
}

impl<C: QueryFragment<Pg>> QueryFragment<Pg> for HoldsAll<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" @> ");
        out.push_bind_param::<TextList, _>(&self.texts)
    }
}

/// Looks for each text in its quotation marks. Nothing else in an array of strings looks like that,
/// because marks within a string are escaped. Measured four times as fast as `json_each`.
impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for HoldsAll<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("(TRUE");
        for text in &self.json {
            out.push_sql(" AND instr(");
            self.column.walk_ast(out.reborrow())?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(text)?;
            out.push_sql(") > 0");
        }
        out.push_sql(")");
        Ok(())
    }
}

condition!(HoldsAll);
