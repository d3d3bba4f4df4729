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

use super::networks;
use crate::domain::address::{AllowedAddresses, IpNetwork};

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
pub struct DbNetworks(pub AllowedAddresses);

impl ToSql<TextList, Pg> for DbTexts {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Array<Text>, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<TextList, Pg> for DbTexts {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <Vec<String> as FromSql<Array<Text>, Pg>>::from_sql(value).map(Self)
    }
}

impl ToSql<TextList, Sqlite> for DbTexts {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl FromSql<TextList, Sqlite> for DbTexts {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

impl DbNetworks {
    fn nets(&self) -> Vec<IpNet> {
        self.0.iter().map(IpNetwork::net).collect()
    }
}

impl ToSql<NetworkList, Pg> for DbNetworks {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Array<Cidr>, Pg>::to_sql(&self.nets(), &mut out.reborrow())
    }
}

impl FromSql<NetworkList, Pg> for DbNetworks {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let read = || <Vec<IpNet> as FromSql<Array<Cidr>, Pg>>::from_sql(value);
        networks::known(value.as_bytes(), read).map(Self)
    }
}

impl ToSql<NetworkList, Sqlite> for DbNetworks {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.nets())?);
        Ok(IsNull::No)
    }
}

impl FromSql<NetworkList, Sqlite> for DbNetworks {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        networks::known(text.as_bytes(), || Ok(serde_json::from_str(&text)?)).map(Self)
    }
}
