//! The audit log: every audit event, written out by one of the instances, at least once.
//!
//! The place up to which it is written is in the database, and moves after the lines are out. So a
//! process that ends in between, however it ends, has its successor write them again.

use std::time::Duration;

use uuid::Uuid;

use super::Service;
use crate::db::DbError;
use crate::domain::clock::Instant;
use crate::domain::cursor::Position;
use crate::domain::id::EventId;
use crate::domain::random::RandomError;

/// How long an instance holds the audit log. If it dies, another one goes on after that.
pub const HELD: Duration = Duration::from_secs(30);

impl Service {
    /// A new name for who holds the audit log.
    ///
    /// # Errors
    /// When the random source does not deliver.
    pub fn audit_log_holder(&self) -> Result<Uuid, RandomError> {
        Ok(EventId::generate(self.clock.now(), self.random())?.uuid())
    }

    /// Claims the audit log for [`HELD`]: the place to go on after. `None` if another instance
    /// holds it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_audit_log(&self, holder: Uuid) -> Result<Option<Position>, DbError> {
        let now = self.clock.now();
        self.repository.claim_audit_log(holder, now, now + HELD).await
    }

    /// Notes that the audit log has the event of this date and id, and all before it. False if
    /// another instance holds it now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn move_audit_log(
        &self,
        holder: Uuid,
        date: Instant,
        event: EventId,
    ) -> Result<bool, DbError> {
        let until = self.clock.now() + HELD;
        self.repository.move_audit_log(holder, date, event.uuid(), until).await
    }

    /// Lets another instance go on with the audit log at once.
    pub async fn release_audit_log(&self, holder: Uuid) {
        if let Err(error) = self.repository.release_audit_log(holder).await {
            tracing::warn!(%error, "the audit log waits until nobody holds it any longer");
        }
    }
}
