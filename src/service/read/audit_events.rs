//! Reading audit events.

use super::ReadError;
use crate::domain::audit::AuditEvent;
use crate::domain::id::EventId;
use crate::domain::permission::required;
use crate::domain::principal::Principal;
use crate::service::Service;

impl Service {
    /// One audit event.
    ///
    /// # Errors
    /// When the caller may not read tokens, there is none, or the database does not answer.
    pub async fn audit_event(
        &self,
        principal: &Principal,
        id: EventId,
    ) -> Result<AuditEvent, ReadError> {
        principal.require(required::API_TOKENS_READ)?;
        self.repository.audit_event(id).await?.ok_or(ReadError::NotFound)
    }
}
