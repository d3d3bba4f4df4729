//! How many tokens there are.

use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::db::{DbError, DbId, Fetch, api_tokens, read};
use crate::domain::id::UserId;
use crate::repository::Repository;

impl Repository {
    /// The number of live tokens.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn live_tokens(&self) -> Result<i64, DbError> {
        read!(self.db, |conn| api_tokens::table
            .filter(api_tokens::deleted_date.is_null())
            .select(count_star())
            .one(conn)
            .await)
    }

    /// The number of live tokens that a user has created or renewed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn live_tokens_by(&self, user: UserId) -> Result<i64, DbError> {
        read!(self.db, |conn| api_tokens::table
            .filter(api_tokens::created_user_id.eq(DbId(user.uuid())))
            .filter(api_tokens::deleted_date.is_null())
            .select(count_star())
            .one(conn)
            .await)
    }
}
