//! Lists: `text[]` and `cidr[]` in PostgreSQL, JSON arrays in SQLite.

use std::sync::LazyLock;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Array, Cidr, SqlType, Text};
use diesel::sqlite::Sqlite;
use ipnet::IpNet;

use super::known::Known;
use crate::domain::address::{AllowedAddresses, IpNetwork};
use crate::domain::permission::{PermissionCode, PermissionSet};

/// Bytes from which looking networks up is cheaper than reading them.
const LONG: usize = 256;
/// Bytes of a network in a list: itself, and the range of its addresses.
const NETWORK: usize = 64;
/// Bytes of a code in a set, beside its text.
const CODE: usize = 48;

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

/// A set of permissions as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = TextList)]
pub struct DbPermissions(pub PermissionSet);

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

impl DbPermissions {
    fn read(codes: &[impl AsRef<str>]) -> Self {
        Self(codes.iter().map(|code| PermissionCode::stored(code.as_ref())).collect())
    }

    fn codes(&self) -> Vec<&str> {
        self.0.iter().map(PermissionCode::as_str).collect()
    }
}

static PERMISSIONS: LazyLock<Known<DbPermissions>> =
    LazyLock::new(|| Known::new(|set| set.0.iter().map(|code| code.as_str().len() + CODE).sum()));

impl ToSql<TextList, Pg> for DbPermissions {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Array<Text>, Pg>::to_sql(&self.codes(), &mut out.reborrow())
    }
}

impl FromSql<TextList, Pg> for DbPermissions {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let read = || <Vec<String> as FromSql<Array<Text>, Pg>>::from_sql(value);
        PERMISSIONS.get(value.as_bytes(), || Ok(Self::read(&read()?)))
    }
}

impl ToSql<TextList, Sqlite> for DbPermissions {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.codes())?);
        Ok(IsNull::No)
    }
}

impl FromSql<TextList, Sqlite> for DbPermissions {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = value.read_text();
        let read = || serde_json::from_str::<Vec<String>>(text);
        PERMISSIONS.get(text.as_bytes(), || Ok(Self::read(&read()?)))
    }
}

impl DbNetworks {
    fn nets(&self) -> Vec<IpNet> {
        self.0.iter().map(IpNetwork::net).collect()
    }
}

static NETWORKS: LazyLock<Known<AllowedAddresses>> =
    LazyLock::new(|| Known::new(|list| list.iter().len() * NETWORK));

/// The networks that are stored as these bytes.
fn networks(
    stored: &[u8],
    read: impl FnOnce() -> deserialize::Result<Vec<IpNet>>,
) -> deserialize::Result<DbNetworks> {
    let read = || read().map(AllowedAddresses::stored);
    let list = if stored.len() < LONG { read() } else { NETWORKS.get(stored, read) };
    list.map(DbNetworks)
}

impl ToSql<NetworkList, Pg> for DbNetworks {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Array<Cidr>, Pg>::to_sql(&self.nets(), &mut out.reborrow())
    }
}

impl FromSql<NetworkList, Pg> for DbNetworks {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let read = || <Vec<IpNet> as FromSql<Array<Cidr>, Pg>>::from_sql(value);
        networks(value.as_bytes(), read)
    }
}

impl ToSql<NetworkList, Sqlite> for DbNetworks {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.nets())?);
        Ok(IsNull::No)
    }
}

impl FromSql<NetworkList, Sqlite> for DbNetworks {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = value.read_text();
        networks(text.as_bytes(), || Ok(serde_json::from_str(text)?))
    }
}
