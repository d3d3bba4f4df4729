//! Making a token once, however often a client asks for it with the same key.
//!
//! A client whose answer was lost sends its request again. The token of the first request is then
//! an orphan: it holds its name, but nobody holds its secret. The retry deletes it and makes the
//! token that takes its place.
//!
//! A transaction locks the orphan before the row of the key. An orphan is younger than the token
//! that makes it and the token that it renews, so it is locked after both.

use diesel::dsl::{auto_type, delete};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::{DbError, DbId, DbInstant, api_tokens, idempotency_keys, read, write_tx};
use crate::domain::audit::AuditEvent;
use crate::domain::clock::Instant;
use crate::domain::id::ApiTokenId;
use crate::domain::idempotency::Fingerprint;
use crate::repository::Repository;

/// Keys that are removed in one transaction, which keeps other writers waiting.
const BATCH: i64 = 1_000;

/// A request with a key.
#[derive(Debug, Clone)]
pub struct Once {
    /// Of the key and the user who chose it.
    pub key: Fingerprint,
    /// Of the input.
    pub input: Fingerprint,
    /// When it is asked for.
    pub date: Instant,
    /// The token of an earlier request with the key.
    pub orphan: Option<Orphan>,
}

/// A token that a request with a key has made, before the same request came again.
#[derive(Debug, Clone)]
pub struct Orphan {
    /// The token.
    pub id: ApiTokenId,
    /// The event of its deletion.
    pub event: AuditEvent,
}

/// What a key was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedKey {
    /// The token that was made.
    pub token: ApiTokenId,
    input: Vec<u8>,
}

impl UsedKey {
    /// Was this the input?
    pub fn is_for(&self, input: Fingerprint) -> bool {
        self.input == input.as_bytes()
    }
}

/// Why a request with a key makes no token now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOnce {
    /// Another request with the key was faster.
    Raced,
    /// The token of the earlier request is no orphan: it was used, changed, renewed or deleted.
    Spent,
}

/// Records that the key, if there is one, makes this token, and deletes the orphan; returns the
/// event of its deletion. Or says why not, in which case nothing is changed. `$claimed`: the orphan
/// was claimed at version 1, and was last changed at this instant.
macro_rules! take_key {
    ($conn:expr, $once:expr, $token:expr, $claimed:expr) => {{
        let once: &Option<Once> = $once;
        let claimed: Option<Instant> = $claimed;
        match once {
            None => Ok(None),
            Some(Once { key, orphan: Some(orphan), .. }) => {
                let (key, id) = (key.as_bytes().to_vec(), DbId(orphan.id.uuid()));
                let holder: Option<DbId> =
                    token_of_key(key.clone()).get_result($conn).await.optional()?;
                let used: bool = match claimed {
                    Some(_) => {
                        let (last_use, user): (DbInstant, DbId) =
                            use_of(id).get_result($conn).await?;
                        last_use.0 != NEVER
                            || select(exists(came_of(id, user))).get_result($conn).await?
                    }
                    None => true,
                };
                match claimed {
                    _ if holder != Some(id) => Err(NotOnce::Raced),
                    Some(last_modified) if !used => {
                        update(idempotency_keys::table)
                            .filter(idempotency_keys::key_hash.eq(key))
                            .set(idempotency_keys::api_token_id.eq(DbId($token.uuid())))
                            .execute($conn)
                            .await?;
                        let deleted = orphan.event.clone().after(last_modified);
                        let date = DbInstant(deleted.date);
                        let _users = delete_claimed!($conn, vec![id], &deleted, date);
                        Ok(Some(deleted))
                    }
                    _ => Err(NotOnce::Spent),
                }
            }
            Some(Once { key, input, date, orphan: None }) => {
                let key = key.as_bytes().to_vec();
                delete(idempotency_keys::table)
                    .filter(idempotency_keys::key_hash.eq(key.clone()))
                    .filter(idempotency_keys::date.le(DbInstant(*date - KEPT)))
                    .execute($conn)
                    .await?;
                // Waits for a request with the key that is under way.
                let rows = insert_into(idempotency_keys::table)
                    .values((
                        idempotency_keys::key_hash.eq(key),
                        idempotency_keys::input_hash.eq(input.as_bytes().to_vec()),
                        idempotency_keys::api_token_id.eq(DbId($token.uuid())),
                        idempotency_keys::date.eq(DbInstant(*date)),
                    ))
                    .on_conflict_do_nothing()
                    .execute($conn)
                    .await?;
                if rows == 1 { Ok(None) } else { Err(NotOnce::Raced) }
            }
        }
    }};
}

pub(super) use take_key;

impl Repository {
    /// What a key was used for since `after`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn used_key(
        &self,
        key: Fingerprint,
        after: Instant,
    ) -> Result<Option<UsedKey>, DbError> {
        let key = key.as_bytes().to_vec();
        let row: Option<(DbId, Vec<u8>)> = read!(self.db, |conn| idempotency_keys::table
            .filter(idempotency_keys::key_hash.eq(key.clone()))
            .filter(idempotency_keys::date.gt(DbInstant(after)))
            .select((idempotency_keys::api_token_id, idempotency_keys::input_hash))
            .get_result(conn)
            .await
            .optional())?;
        let used = |(id, input): (DbId, _)| UsedKey { token: ApiTokenId::from_uuid(id.0), input };
        Ok(row.map(used))
    }

    /// Removes some keys of this date or earlier; true if there are more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_keys(&self, until: Instant) -> Result<bool, DbError> {
        let until = DbInstant(until);
        let keys: Vec<Vec<u8>> = read!(self.db, |conn| idempotency_keys::table
            .filter(idempotency_keys::date.le(until))
            .order(idempotency_keys::date)
            .limit(BATCH)
            .select(idempotency_keys::key_hash)
            .load(conn)
            .await)?;
        let removed = keys.len();
        if removed > 0 {
            write_tx!(self.db, |conn| {
                delete(idempotency_keys::table)
                    .filter(idempotency_keys::key_hash.eq_any(keys))
                    // A key may have been used anew since it was read.
                    .filter(idempotency_keys::date.le(until))
                    .execute(conn)
                    .await
            })?;
        }
        Ok(i64::try_from(removed).is_ok_and(|removed| removed == BATCH))
    }
}

#[auto_type]
pub(super) fn token_of_key(key: Vec<u8>) -> _ {
    idempotency_keys::table
        .filter(idempotency_keys::key_hash.eq(key))
        .select(idempotency_keys::api_token_id)
}

#[auto_type]
pub(super) fn use_of(id: DbId) -> _ {
    api_tokens::table
        .filter(api_tokens::id.eq(id))
        .select((api_tokens::last_used_date, api_tokens::user_id))
}

/// What the token has made, and what was renewed from it.
#[auto_type]
pub(super) fn came_of(id: DbId, user: DbId) -> _ {
    let renewed: Option<DbId> = Some(id);
    api_tokens::table
        .filter(api_tokens::created_user_id.eq(user).or(api_tokens::renewed_from_id.eq(renewed)))
        .select(api_tokens::id)
}
