//! Lists: `text[]` and `cidr[]` in PostgreSQL, JSON arrays in SQLite.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Array, Cidr, SqlType, Text};
use diesel::sqlite::Sqlite;
use ipnet::IpNet;

/// The SQL type of a list of texts.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1009, array_oid = 0), sqlite_type(name = "Text"))]
pub struct TextList;

/// The SQL type of a list of networks.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 651, array_oid = 0), sqlite_type(name = "Text"))]
pub struct NetworkList;

/// A list of texts as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = TextList)]
pub struct DbTexts(pub Vec<String>);

/// A list of networks as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = NetworkList)]
pub struct DbNetworks(pub Vec<IpNet>);

macro_rules! list_column {
    ($value:ident, $sql:ident, $element:ty, $element_sql:ident) => {
        impl ToSql<$sql, Pg> for $value {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<Array<$element_sql>, Pg>::to_sql(&self.0, out)
            }
        }

        impl FromSql<$sql, Pg> for $value {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                <Vec<$element> as FromSql<Array<$element_sql>, Pg>>::from_sql(value).map(Self)
            }
        }

        impl ToSql<$sql, Sqlite> for $value {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(serde_json::to_string(&self.0)?);
                Ok(IsNull::No)
            }
        }

        impl FromSql<$sql, Sqlite> for $value {
            fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
                Ok(Self(serde_json::from_str(&text)?))
            }
        }
    };
}

list_column!(DbTexts, TextList, String, Text);
list_column!(DbNetworks, NetworkList, IpNet, Cidr);
