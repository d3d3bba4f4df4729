//! Replacing the stored form of secrets.

use diesel::dsl::update;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::{DbError, DbId, api_tokens, write_tx};
use crate::domain::id::ApiTokenId;
use crate::domain::secret::ReplacedSecret;
use crate::repository::Repository;

impl Repository {
    /// Stores secrets in their new form where the row still holds the hash that they were proven
    /// against. The version of a token stays, as this does not change it. The tokens come in the
    /// order of their ids, in which rows are locked everywhere.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn replace_secrets(
        &self,
        secrets: &[(ApiTokenId, ReplacedSecret)],
    ) -> Result<(), DbError> {
        tracing::debug!(count = secrets.len(), "replace_secrets");
        let rows: Vec<(DbId, String, String, Option<Vec<u8>>)> = secrets
            .iter()
            .map(|(id, ReplacedSecret { before, now })| {
                let tag = now.tag.map(|tag| tag.expose().to_vec());
                (DbId(id.uuid()), before.expose().to_owned(), now.hash.expose().to_owned(), tag)
            })
            .collect();
        write_tx!(self.db, |conn| {
            for (id, before, hash, tag) in rows {
                // A deleted token holds no hash, and must not get one back.
                update(api_tokens::table)
                    .filter(api_tokens::id.eq(id))
                    .filter(api_tokens::secret_hash.eq(before))
                    .set((api_tokens::secret_hash.eq(hash), api_tokens::secret_tag.eq(tag)))
                    .execute(conn)
                    .await?;
            }
            Ok(())
        })
    }
}
