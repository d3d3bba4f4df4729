//! Which token has a name.

use diesel::dsl::auto_type;
use diesel::prelude::*;

use crate::db::{DbError, DbId, Fetch, api_tokens, point};
use crate::domain::id::ApiTokenId;
use crate::repository::Repository;

impl Repository {
    /// The live token that has this name, for reporting all faults of an input at once. The unique
    /// index has the last word.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn name_holder(&self, name_key: &str) -> Result<Option<ApiTokenId>, DbError> {
        let key = name_key.to_owned();
        let holder: Option<DbId> =
            point!(self.db, |conn| holder(key.clone()).one(conn).await.optional())?;
        Ok(holder.map(|id| ApiTokenId::from_uuid(id.0)))
    }
}

/// The live token that has a name, as committed. A transaction asks before it writes the name,
/// because the write would wait for a transaction that holds that token, which may itself wait for
/// this transaction.
#[auto_type]
pub(super) fn holder(name_key: String) -> _ {
    api_tokens::table
        .filter(api_tokens::name_key.eq(name_key))
        .filter(api_tokens::deleted_date.is_null())
        .select(api_tokens::id)
}
