//! Claiming a token: the first step of every change of one.

use diesel::dsl::{auto_type, update};
use diesel::prelude::*;
use diesel_async::methods::LoadQuery;
use diesel_async::{AsyncConnection, RunQueryDsl};

use super::caller::{CallerRow, ensure_unchanged, unchanged};
use crate::db::{DbId, DbInstant, ShareLocked, api_tokens};
use crate::domain::clock::Instant;
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
    /// The token that asks was changed or deleted since it was judged.
    CallerChanged,
}

/// Locks a live token, so that no other transaction can change it, and returns the instant of its
/// last change. With a `version`, only if the token is at it: every change increases the version,
/// so a caller that read this version knows the current state.
///
/// An update that changes nothing takes the lock, and whether it matches a row is the verdict.
/// Fails with `RollbackTransaction` when the token of the caller, if it is another one, has
/// changed.
pub(super) async fn claim<C>(
    connection: &mut C,
    caller: CallerRow,
    target: ApiTokenId,
    version: Option<i32>,
) -> QueryResult<Result<Instant, Unclaimed>>
where
    C: AsyncConnection,
    for<'query> ShareLocked<unchanged>: LoadQuery<'query, C, DbId>,
    for<'query> claimed: LoadQuery<'query, C, DbInstant>,
    for<'query> current: LoadQuery<'query, C, i32>,
{
    let target = DbId(target.uuid());
    let own = match caller {
        CallerRow::Target { version } => Some(version),
        CallerRow::None | CallerRow::Before(_) | CallerRow::After(_) => None,
    };
    let expected = || version.into_iter().chain(own);
    let lowest = expected().max().unwrap_or(i32::MIN);
    let highest = expected().min().unwrap_or(i32::MAX);
    ensure_unchanged(connection, caller.before()).await?;
    let claimed: Option<DbInstant> =
        claimed(target, lowest, highest).get_result(connection).await.optional()?;
    ensure_unchanged(connection, caller.after()).await?;
    if let Some(DbInstant(last_modified)) = claimed {
        return Ok(Ok(last_modified));
    }
    let current: Option<i32> = current(target).get_result(connection).await.optional()?;
    Ok(Err(match current {
        _ if own.is_some() && current != own => Unclaimed::CallerChanged,
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
pub(super) fn current(id: DbId) -> _ {
    api_tokens::table
        .filter(api_tokens::id.eq(id))
        .filter(api_tokens::deleted_date.is_null())
        .select(api_tokens::version)
}
