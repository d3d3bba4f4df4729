//! Learning the time, at the start.

use crate::db::DbError;
use crate::service::Service;

impl Service {
    /// Reads the clock that decides, and the latest time that an earlier process has seen. Until
    /// then the clock is that of this machine.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read_clock(&self) -> Result<(), DbError> {
        self.repository.read_clock().await?;
        Ok(())
    }
}
