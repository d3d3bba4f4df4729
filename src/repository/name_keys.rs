//! The keys that names are compared by, which are computed again when the rule has changed.

use diesel::dsl::update;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Repository;
use crate::db::{DbError, DbId, api_tokens, name_keys, read, search, users, write_tx};
use crate::domain::id::ApiTokenId;
use crate::domain::name::stored_key;

/// Rows read at once.
const PAGE: i64 = 1_000;
/// A noncharacter, which no name has. What follows it distinguishes the key from that of another
/// token.
const DUPLICATE: char = '\u{fffe}';

/// A row whose key is not what the rule makes of its name.
struct Stale {
    id: DbId,
    before: String,
    key: String,
}

impl Repository {
    /// The version of the rule by which the stored keys were made.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn name_key_version(&self) -> Result<i32, DbError> {
        read!(self.db, |conn| name_keys::table.select(name_keys::version).get_result(conn).await)
    }

    /// Computes all keys again, and records the version of the rule. Returns the tokens whose names
    /// other live tokens already have: each keeps its name, under a key that no name has.
    ///
    /// # Errors
    /// When the database does not answer; nothing is changed then.
    pub async fn renew_name_keys(&self, version: i32) -> Result<Vec<ApiTokenId>, DbError> {
        let (tokens, users) = (self.stale_token_keys().await?, self.stale_user_keys().await?);
        write_tx!(self.db, |conn| {
            for stale in users {
                update(users::table)
                    .filter(users::id.eq(stale.id))
                    .filter(users::name_key.eq(stale.before))
                    .set(users::name_key.eq(stale.key))
                    .execute(conn)
                    .await?;
            }
            // First move them out of the way of each other, then to the new keys, the oldest token
            // first.
            let mut claimed = Vec::new();
            for stale in tokens {
                let rows = update(api_tokens::table)
                    .filter(api_tokens::id.eq(stale.id))
                    .filter(api_tokens::name_key.eq(&stale.before))
                    .filter(api_tokens::deleted_date.is_null())
                    .set(api_tokens::name_key.eq(apart(&stale)))
                    .execute(conn)
                    .await?;
                claimed.extend((rows > 0).then_some(stale));
            }
            let mut doubles = Vec::new();
            for stale in claimed {
                let holder: Option<DbId> = api_tokens::table
                    .filter(api_tokens::name_key.eq(&stale.key))
                    .filter(api_tokens::deleted_date.is_null())
                    .select(api_tokens::id)
                    .get_result(conn)
                    .await
                    .optional()?;
                if holder.is_some() {
                    doubles.push(ApiTokenId::from_uuid(stale.id.0));
                    continue;
                }
                update(api_tokens::table)
                    .filter(api_tokens::id.eq(stale.id))
                    .set(api_tokens::name_key.eq(stale.key))
                    .execute(conn)
                    .await?;
            }
            update(name_keys::table).set(name_keys::version.eq(version)).execute(conn).await?;
            Ok(doubles)
        })
    }

    async fn stale_token_keys(&self) -> Result<Vec<Stale>, DbError> {
        let mut stale = Vec::new();
        let mut last = DbId(uuid::Uuid::nil());
        loop {
            let rows: Vec<(DbId, String, String)> = search!(self.db, |conn| api_tokens::table
                .filter(api_tokens::id.gt(last))
                .filter(api_tokens::deleted_date.is_null())
                .order(api_tokens::id)
                .limit(PAGE)
                .select((api_tokens::id, api_tokens::name, api_tokens::name_key))
                .load(conn)
                .await)?;
            let Some((id, ..)) = rows.last() else { return Ok(stale) };
            last = *id;
            stale.extend(rows.into_iter().filter_map(Stale::of));
        }
    }

    async fn stale_user_keys(&self) -> Result<Vec<Stale>, DbError> {
        let mut stale = Vec::new();
        let mut last = DbId(uuid::Uuid::nil());
        loop {
            let rows: Vec<(DbId, String, String)> = search!(self.db, |conn| users::table
                .filter(users::id.gt(last))
                .order(users::id)
                .limit(PAGE)
                .select((users::id, users::name, users::name_key))
                .load(conn)
                .await)?;
            let Some((id, ..)) = rows.last() else { return Ok(stale) };
            last = *id;
            stale.extend(rows.into_iter().filter_map(Stale::of));
        }
    }
}

impl Stale {
    fn of((id, name, before): (DbId, String, String)) -> Option<Self> {
        let key = stored_key(&name);
        // A duplicate keeps its key: there is no better one while it has this name.
        let double = before.split_once(DUPLICATE).is_some_and(|(start, _)| start == key);
        (before != key && !double).then_some(Self { id, before, key })
    }
}

/// A key that only this token can have.
fn apart(stale: &Stale) -> String {
    format!("{}{DUPLICATE}{}", stale.key, stale.id.0)
}
