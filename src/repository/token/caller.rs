//! Whether the token that asks still is what it was judged by.

use diesel::dsl::auto_type;
use diesel::prelude::*;
use diesel::result::Error;
use diesel_async::methods::LoadQuery;
use diesel_async::{AsyncConnection, RunQueryDsl};

use crate::db::{DbId, ShareLocked, api_tokens};
use crate::domain::id::ApiTokenId;
use crate::domain::principal::JudgedToken;

/// When the row of the token that asks is locked: rows are locked in the order of their ids, so that two
/// tokens that change each other never wait for one another.
#[derive(Debug, Clone, Copy)]
pub(super) struct LockOrder {
    /// The caller, to be locked before the target.
    pub(super) before: Option<JudgedToken>,
    /// The version that the target must be at where it is the caller itself. It is locked once, by the
    /// update: two that first shared the row would each wait for the other to let go of it.
    pub(super) own: Option<i32>,
    /// The caller, to be locked after the target.
    pub(super) after: Option<JudgedToken>,
}

impl LockOrder {
    pub(super) fn of(caller: Option<JudgedToken>, target: ApiTokenId) -> Self {
        Self {
            before: caller.filter(|caller| caller.id < target),
            own: caller.filter(|caller| caller.id == target).map(|caller| caller.version),
            after: caller.filter(|caller| caller.id > target),
        }
    }
}

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
