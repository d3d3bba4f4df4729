//! Whether the token of the caller is still what it was judged by.

use std::cmp::Ordering;

use diesel::dsl::auto_type;
use diesel::prelude::*;
use diesel::result::Error;
use diesel_async::methods::LoadQuery;
use diesel_async::{AsyncConnection, RunQueryDsl};

use crate::db::{DbId, ShareLocked, api_tokens};
use crate::domain::id::ApiTokenId;
use crate::domain::principal::Principal;

/// The row of the caller's credential, as seen from the row to be changed. Rows are locked in the
/// order of their ids, so that two tokens that change each other cannot deadlock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallerRow {
    /// The operator has no row: nobody can take their rights away in the meantime.
    None,
    /// Locked before the target.
    Before(JudgedToken),
    /// The target itself, at this version. The update locks it once: two transactions that first
    /// shared the row would each wait for the other to release it.
    Target { version: i32 },
    /// Locked after the target.
    After(JudgedToken),
}

/// The token that asks, in the version that it was judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JudgedToken {
    id: ApiTokenId,
    version: i32,
}

impl CallerRow {
    /// For a target that exists.
    pub(super) fn for_existing(caller: &Principal, target: ApiTokenId) -> Self {
        match caller {
            Principal::Operator => Self::None,
            Principal::ApiToken(own) => {
                let judged = JudgedToken { id: own.id, version: own.version };
                match own.id.cmp(&target) {
                    Ordering::Less => Self::Before(judged),
                    Ordering::Equal => Self::Target { version: own.version },
                    Ordering::Greater => Self::After(judged),
                }
            }
        }
    }

    /// For a target that is about to be inserted.
    pub(super) fn for_new(caller: &Principal) -> Self {
        match caller {
            Principal::Operator => Self::None,
            Principal::ApiToken(own) => {
                Self::Before(JudgedToken { id: own.id, version: own.version })
            }
        }
    }

    /// What to lock before the target.
    pub(super) const fn before(self) -> Option<JudgedToken> {
        match self {
            Self::Before(judged) => Some(judged),
            Self::None | Self::Target { .. } | Self::After(_) => None,
        }
    }

    /// What to lock after the target.
    pub(super) const fn after(self) -> Option<JudgedToken> {
        match self {
            Self::After(judged) => Some(judged),
            Self::None | Self::Target { .. } | Self::Before(_) => None,
        }
    }
}

/// Ends a transaction with [`DbError::RolledBack`](crate::db::DbError::RolledBack) when the token
/// of the caller has been changed or deleted since it was judged. Otherwise the token cannot change
/// until the transaction ends.
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
pub(super) fn unchanged(caller: JudgedToken) -> _ {
    let id: DbId = DbId(caller.id.uuid());
    let version: i32 = caller.version;
    api_tokens::table
        .filter(api_tokens::id.eq(id))
        .filter(api_tokens::version.eq(version))
        .filter(api_tokens::deleted_date.is_null())
        .select(api_tokens::id)
}
