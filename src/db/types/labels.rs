//! Labels: a JSON object in both databases.

use std::io::Write;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use serde_json::{Map, Value};

use crate::domain::label::{Label, Labels};

/// The object of a token without labels.
const NONE: &str = "{}";

/// Labels as the database holds them.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct DbLabels(pub Labels);

impl DbLabels {
    fn json(&self) -> String {
        let entry = |label: &Label| (label.key.clone(), Value::from(&*label.value));
        Value::Object(self.0.iter().map(entry).collect::<Map<_, _>>()).to_string()
    }
}

/// Part of the stored labels of each token that has this one, and of no other: within a key or a
/// value, quotation marks are escaped.
pub fn stored_label(label: &Label) -> String {
    format!("{}:{}", Value::from(&*label.key), Value::from(&*label.value))
}

impl ToSql<Text, Pg> for DbLabels {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.json().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Text, Sqlite> for DbLabels {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.json());
        Ok(IsNull::No)
    }
}

impl<DB: Backend> FromSql<Text, DB> for DbLabels
where
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(value)?;
        if text == NONE {
            return Ok(Self(Labels::default()));
        }
        Ok(Self(Labels::stored(serde_json::from_str(&text)?)))
    }
}
