//! Reading rows, with one call for both kinds of connection.

use diesel::query_dsl::methods::LoadQuery;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};
use diesel_async::AsyncPgConnection;
use diesel_async::RunQueryDsl as AsyncRunQueryDsl;
use diesel_async::methods::LoadQuery as AsyncLoadQuery;
use futures_util::future::BoxFuture;

use super::postgres::LaneLink;
use super::sqlite::SqliteLink;

/// A query of rows `U` over a connection `C`.
///
/// On SQLite the query goes to the connection itself. diesel-async's wrapper of it collects each
/// query into a form that it can own: it writes the text anew each time, and copies each column of
/// each row. Measured, that is 7 us of 16 for a single row.
pub(crate) trait Fetch<C, U>: Sized {
    /// All rows.
    fn all(self, connection: &mut C) -> BoxFuture<'_, QueryResult<Vec<U>>>;

    /// The first row, `Error::NotFound` if there is none.
    fn one(self, connection: &mut C) -> BoxFuture<'_, QueryResult<U>>;
}

impl<Q, U> Fetch<SqliteLink, U> for Q
where
    Q: RunQueryDsl<SqliteConnection> + LoadQuery<'static, SqliteConnection, U> + Send + 'static,
    U: Send + 'static,
{
    fn all(self, connection: &mut SqliteLink) -> BoxFuture<'_, QueryResult<Vec<U>>> {
        connection.spawn_blocking(move |connection| RunQueryDsl::load(self, connection))
    }

    fn one(self, connection: &mut SqliteLink) -> BoxFuture<'_, QueryResult<U>> {
        connection.spawn_blocking(move |connection| RunQueryDsl::get_result(self, connection))
    }
}

impl<Q, U> Fetch<AsyncPgConnection, U> for Q
where
    Q: AsyncRunQueryDsl<AsyncPgConnection>
        + AsyncLoadQuery<'static, AsyncPgConnection, U>
        + Send
        + 'static,
    U: Send + 'static,
{
    fn all(self, connection: &mut AsyncPgConnection) -> BoxFuture<'_, QueryResult<Vec<U>>> {
        Box::pin(AsyncRunQueryDsl::load(self, connection))
    }

    fn one(self, connection: &mut AsyncPgConnection) -> BoxFuture<'_, QueryResult<U>> {
        Box::pin(AsyncRunQueryDsl::get_result(self, connection))
    }
}

impl<Q, U> Fetch<LaneLink, U> for Q
where
    Q: AsyncRunQueryDsl<LaneLink> + AsyncLoadQuery<'static, LaneLink, U> + Send + 'static,
    U: Send + 'static,
{
    fn all(self, connection: &mut LaneLink) -> BoxFuture<'_, QueryResult<Vec<U>>> {
        Box::pin(AsyncRunQueryDsl::load(self, connection))
    }

    fn one(self, connection: &mut LaneLink) -> BoxFuture<'_, QueryResult<U>> {
        Box::pin(AsyncRunQueryDsl::get_result(self, connection))
    }
}
