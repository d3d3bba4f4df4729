//! Whether the token that asks still is what it was judged by.

use diesel::dsl::auto_type;
use diesel::prelude::*;
use diesel::result::Error;
use diesel_async::methods::LoadQuery;
use diesel_async::{AsyncConnection, RunQueryDsl};

use crate::db::{DbId, ShareLocked, api_tokens};
use crate::domain::principal::JudgedToken;

/// Ends a transaction with [`DbError::RolledBack`](crate::db::DbError::RolledBack) when the token that
/// asks has been changed or deleted since it was judged; else it stays as it is until the transaction
/// ends.
pub(super) async fn ensure_unchanged<C>(
    connection: &mut C,
    caller: Option<JudgedToken>,
) -> QueryResult<()>
where
    C: AsyncConnection,
    for<'query> ShareLocked<unchanged>: LoadQuery<'query, C, DbId>,
{
    let Some(caller) = caller else { return Ok(()) };
    let found: Option<DbId> =
        ShareLocked(unchanged(caller)).get_result(connection).await.optional()?;
    found.map(drop).ok_or(Error::RollbackTransaction)
}

#[auto_type]
fn unchanged(caller: JudgedToken) -> _ {
    let id: DbId = DbId(caller.id.uuid());
    let version: i32 = caller.version;
    api_tokens::table
        .filter(api_tokens::id.eq(id))
        .filter(api_tokens::version.eq(version))
        .filter(api_tokens::deleted_date.is_null())
        .select(api_tokens::id)
}
