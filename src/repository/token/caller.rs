//! Whether the token of the caller is still what it was judged by.

use diesel::dsl::auto_type;
use diesel::prelude::*;
use diesel::result::Error;
use diesel_async::methods::LoadQuery;
use diesel_async::{AsyncConnection, RunQueryDsl};

use crate::db::{DbId, KeyLocks, KeyShared, LockKeys, Now, api_tokens};
use crate::domain::clock::SteadyClock;
use crate::domain::id::ApiTokenId;
use crate::domain::principal::Principal;
use crate::repository::clock::now;

/// The token that asks, in the version that it was judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::repository) struct JudgedToken {
    id: ApiTokenId,
    version: i32,
}

impl JudgedToken {
    /// The operator has no token: nobody can take their rights away in the meantime.
    pub(in crate::repository) fn of(caller: &Principal) -> Option<Self> {
        match caller {
            Principal::Operator => None,
            Principal::ApiToken(own) => Some(Self { id: own.id, version: own.version }),
        }
    }
}

/// Locks the token of the caller and the tokens that are about to be changed, and then ends the
/// transaction with [`DbError::RolledBack`](crate::db::DbError::RolledBack) unless the caller may
/// still act: its token was not deleted, is enabled, has not expired, and has the version that it
/// was judged by, and with it the same permissions and addresses. That stays so until the
/// transaction ends, except for the expiry, which is compared with a time taken here.
///
/// Callers share their locks: a token may do many things at once. Whoever changes a token has it
/// alone, and waits only for what was begun before (see [`KeyLocks`]). The row of the caller is
/// shared as well, for whoever ends more tokens than locks can be taken for.
pub(in crate::repository) async fn lock_and_ensure_current<C>(
    connection: &mut C,
    caller: Option<JudgedToken>,
    targets: &[ApiTokenId],
    clock: &SteadyClock,
) -> QueryResult<()>
where
    C: AsyncConnection + LockKeys,
    for<'query> KeyShared<current>: LoadQuery<'query, C, DbId>,
{
    let locks = KeyLocks::default();
    let locks = caller.iter().fold(locks, |locks, caller| locks.shared(caller.id.uuid()));
    let locks = targets.iter().fold(locks, |locks, target| locks.alone(target.uuid()));
    connection.lock_keys(&locks).await?;
    ensure_current(connection, caller, clock).await
}

/// The same for a caller that is locked already.
pub(super) async fn ensure_current<C>(
    connection: &mut C,
    caller: Option<JudgedToken>,
    clock: &SteadyClock,
) -> QueryResult<()>
where
    C: AsyncConnection,
    for<'query> KeyShared<current>: LoadQuery<'query, C, DbId>,
{
    let Some(caller) = caller else { return Ok(()) };
    let current = KeyShared(current(caller, now(clock)));
    let found: Option<DbId> = current.get_result(connection).await.optional()?;
    found.map(drop).ok_or(Error::RollbackTransaction)
}

#[auto_type]
pub(super) fn current(caller: JudgedToken, now: Now) -> _ {
    let id: DbId = DbId(caller.id.uuid());
    let version: i32 = caller.version;
    api_tokens::table
        .filter(api_tokens::id.eq(id))
        .filter(api_tokens::version.eq(version))
        .filter(api_tokens::deleted_date.is_null())
        .filter(api_tokens::enabled)
        .filter(api_tokens::expiry.gt(now))
        .select(api_tokens::id)
}
