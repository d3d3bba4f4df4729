//! Which permissions tokens may hold, and which they do.

use diesel::dsl::{count_star, insert_into};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Repository;
use crate::db::{DbError, DbPermissions, Fetch, api_tokens, permissions, read, search, write_tx};
use crate::domain::permission::{PermissionCode, PermissionSet};

impl Repository {
    /// The permissions that were ever recorded here.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recorded_permissions(&self) -> Result<PermissionSet, DbError> {
        let codes: Vec<String> =
            read!(self.db, |conn| permissions::table.select(permissions::code).all(conn).await)?;
        Ok(codes.iter().map(|code| PermissionCode::stored(code)).collect())
    }

    /// Records permissions that may be granted from now on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record_permissions(&self, codes: &[&PermissionCode]) -> Result<(), DbError> {
        let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
        write_tx!(self.db, |conn| {
            for code in codes {
                insert_into(permissions::table)
                    .values(permissions::code.eq(code))
                    .on_conflict_do_nothing()
                    .execute(conn)
                    .await?;
            }
            Ok(())
        })
    }

    /// Every distinct set of permissions that tokens hold, and how many hold it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn permission_sets(&self) -> Result<Vec<(PermissionSet, i64)>, DbError> {
        let rows: Vec<(DbPermissions, i64)> = search!(self.db, |conn| api_tokens::table
            .filter(api_tokens::deleted_date.is_null())
            .group_by(api_tokens::permissions)
            .select((api_tokens::permissions, count_star()))
            .all(conn)
            .await)?;
        Ok(rows.into_iter().map(|(DbPermissions(set), count)| (set, count)).collect())
    }
}
