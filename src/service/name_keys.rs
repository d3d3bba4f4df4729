//! Keeping the promise that no two live tokens have the same name, for tokens that are older than the rule.

use super::Service;
use crate::db::DbError;
use crate::domain::name::KEY_VERSION;

impl Service {
    /// Makes the stored keys of names anew, if they were made by an earlier rule.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn renew_name_keys(&self) -> Result<(), DbError> {
        // A newer version has made them: its rule knows more.
        if self.repository.name_key_version().await? >= KEY_VERSION {
            return Ok(());
        }
        for id in self.repository.renew_name_keys(KEY_VERSION).await? {
            tracing::warn!(token_id = %id, "another token has the same name but for invisible \
                characters; rename one of the two");
        }
        Ok(())
    }
}
