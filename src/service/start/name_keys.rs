//! Keeping the promise that no two live tokens have the same name, for tokens that are older than
//! the rule.

use crate::db::DbError;
use crate::domain::name::KEY_VERSION;
use crate::service::Service;

impl Service {
    /// Computes the stored keys of names again if an earlier rule made them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn renew_name_keys(&self) -> Result<(), DbError> {
        if self.has_name_keys().await? {
            return Ok(());
        }
        let doubles = match self.repository.renew_name_keys(KEY_VERSION).await {
            Ok(doubles) => doubles,
            // With stricter isolation than usual, one of several instances that start at once has
            // done it.
            Err(_) if self.has_name_keys().await? => return Ok(()),
            Err(error) => return Err(error),
        };
        for id in doubles {
            tracing::warn!(token_id = %id, "another token has the same name except for invisible \
                characters; rename one of the two");
        }
        Ok(())
    }

    /// Keys of a newer version are fine: its rule covers more.
    async fn has_name_keys(&self) -> Result<bool, DbError> {
        Ok(self.repository.name_key_version().await? >= KEY_VERSION)
    }
}
