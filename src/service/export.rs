//! All audit events in their order, page by page, for whoever copies them elsewhere.
//!
//! The order is that of their dates, and an event is dated after all that were committed before it
//! (`repository::audit`). So what comes after the last event that was read is all that is new:
//! whatever was under way meanwhile comes later, and nothing needs to be held back.

use std::ops::Bound;

use super::Service;
use crate::db::DbError;
use crate::domain::audit::AuditEvent;
use crate::domain::cursor::{Key, Position};
use crate::domain::filter::AuditEventFilter;
use crate::domain::id::EventId;
use crate::domain::page::{Row, Scan};
use crate::repository::List;

/// Events that are read at once. An event has up to a hundred kilobytes.
pub const EXPORT_PAGE: usize = 200;

/// An export cannot go on after an event.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// There is no such event, and it cannot have been removed.
    #[error("there is no event {0}, and no event of that time has been removed")]
    Unknown(EventId),
    /// The database does not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Service {
    /// The next events after this place, the oldest first; fewer than [`EXPORT_PAGE`] are the last.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn export_audit_events(
        &self,
        after: Option<&Position>,
    ) -> Result<Vec<Row<AuditEvent>>, DbError> {
        let above = after.cloned().map_or(Bound::Unbounded, Bound::Excluded);
        let next = Scan { above, limit: EXPORT_PAGE, ..Scan::all() };
        self.repository.audit_event_list(AuditEventFilter::default()).scan(next).await
    }

    /// The place of an event. `None` if it was removed: events are removed from the oldest on, so
    /// all that remain come after it. It counts as removed if its id is older than all that remain.
    ///
    /// # Errors
    /// When there is no such event, and it cannot have been removed; or the database does not
    /// answer.
    pub async fn place_of_event(&self, id: EventId) -> Result<Option<Position>, ResumeError> {
        if let Some(event) = self.repository.audit_event(id).await? {
            return Ok(Some(Position { key: Key::Instant(event.date), id: id.uuid() }));
        }
        let all = self.repository.audit_event_list(AuditEventFilter::default());
        let oldest = all.scan(Scan { limit: 1, ..Scan::all() }).await?;
        let oldest = oldest.first().map_or_else(|| self.clock.now(), |row| row.value.date);
        match id.time() {
            Some(time) if time <= oldest => Ok(None),
            _ => Err(ResumeError::Unknown(id)),
        }
    }
}
