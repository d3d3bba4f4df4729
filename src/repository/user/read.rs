//! Queries on users.

use diesel::prelude::*;

use crate::db::{DbError, DbId, Fetch, point, read, users};
use crate::domain::id::UserId;
use crate::domain::user::User;
use crate::repository::Repository;
use crate::repository::rows::UserRow;

impl Repository {
    /// One user. SQLite caches this statement, but not one for a list of ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, DbError> {
        tracing::debug!("user_by_id");
        let row: Option<UserRow> = point!(self.db, |conn| users::table
            .filter(users::id.eq(DbId(id.uuid())))
            .select(UserRow::as_select())
            .one(conn)
            .await
            .optional())?;
        Ok(row.map(User::from))
    }

    /// The users with these ids, in no order. Unknown ids are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn users_by_id(&self, ids: &[UserId]) -> Result<Vec<User>, DbError> {
        tracing::debug!(count = ids.len(), "users_by_id");
        let ids: Vec<DbId> = ids.iter().map(|id| DbId(id.uuid())).collect();
        let rows: Vec<UserRow> = read!(self.db, |conn| users::table
            .filter(users::id.eq_any(ids.clone()))
            .select(UserRow::as_select())
            .all(conn)
            .await)?;
        Ok(rows.into_iter().map(User::from).collect())
    }
}
