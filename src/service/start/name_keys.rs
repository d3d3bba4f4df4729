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
        // The keys come from a newer version, whose rule covers more.
        if self.repository.name_key_version().await? >= KEY_VERSION {
            return Ok(());
        }
        for id in self.repository.renew_name_keys(KEY_VERSION).await? {
            tracing::warn!(token_id = %id, "another token has the same name except for invisible \
                characters; rename one of the two");
        }
        Ok(())
    }
}
