//! Claiming a token: the first step of every change of one.

use diesel::dsl::{auto_type, update};
use diesel::prelude::*;
use diesel_async::methods::LoadQuery;
use diesel_async::{AsyncConnection, RunQueryDsl};

use super::caller::{JudgedToken, current, lock_and_ensure_current};
use crate::db::{DbId, DbInstant, KeyShared, LockKeys, api_tokens};
use crate::domain::clock::{Instant, SteadyClock};
use crate::domain::id::ApiTokenId;

/// Why a token cannot be changed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclaimed {
    /// It does not exist or was deleted.
    NotFound,
    /// It is not at the version that the change is based on.
    Stale {
        /// The version that it is at.
        current_version: i32,
    },
    /// The token that asks has changed since it was judged, was deleted or has ended.
    CallerChanged,
}

/// Claims a live token for the caller, so that no other transaction can change it, and returns the
/// instant of its last change. With a `version`, only if the token is at it: every change increases
/// the version, so a caller that read this version knows the current state.
///
/// An update that changes nothing claims the row, and whether it matches one is the verdict. Fails
/// with `RollbackTransaction` when the caller may no longer act.
pub(super) async fn claim<C>(
    connection: &mut C,
    caller: Option<JudgedToken>,
    target: ApiTokenId,
    version: Option<i32>,
    clock: &SteadyClock,
) -> QueryResult<Result<Instant, Unclaimed>>
where
    C: AsyncConnection + LockKeys,
    for<'query> KeyShared<current>: LoadQuery<'query, C, DbId>,
    for<'query> claimed: LoadQuery<'query, C, DbInstant>,
    for<'query> version_of: LoadQuery<'query, C, i32>,
{
    lock_and_ensure_current(connection, caller, &[target], clock).await?;
    let target = DbId(target.uuid());
    let lowest = version.unwrap_or(i32::MIN);
    let highest = version.unwrap_or(i32::MAX);
    let claimed: Option<DbInstant> =
        claimed(target, lowest, highest).get_result(connection).await.optional()?;
    if let Some(DbInstant(last_modified)) = claimed {
        return Ok(Ok(last_modified));
    }
    let version: Option<i32> = version_of(target).get_result(connection).await.optional()?;
    Ok(Err(match version {
        Some(current_version) => Unclaimed::Stale { current_version },
        None => Unclaimed::NotFound,
    }))
}

#[auto_type]
pub(super) fn claimed(id: DbId, lowest: i32, highest: i32) -> _ {
    update(api_tokens::table)
        .filter(api_tokens::id.eq(id))
        .filter(api_tokens::deleted_date.is_null())
        .filter(api_tokens::version.between(lowest, highest))
        .set(api_tokens::version.eq(api_tokens::version))
        .returning(api_tokens::last_modified_date)
}

#[auto_type]
pub(super) fn version_of(id: DbId) -> _ {
    api_tokens::table
        .filter(api_tokens::id.eq(id))
        .filter(api_tokens::deleted_date.is_null())
        .select(api_tokens::version)
}
