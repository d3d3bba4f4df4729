//! The record of what a use case does.

use super::Service;
use crate::domain::audit::{AuditAction, AuditEvent};
use crate::domain::clock::Instant;
use crate::domain::id::{ApiTokenId, EventId};
use crate::domain::principal::{Origin, Principal};
use crate::domain::random::RandomError;

impl Service {
    /// What the caller does now, without any changes yet.
    pub(super) fn event(
        &self,
        action: AuditAction,
        target: ApiTokenId,
        date: Instant,
        principal: &Principal,
        origin: &Origin,
    ) -> Result<AuditEvent, RandomError> {
        Ok(AuditEvent {
            id: EventId::generate(date, self.random())?,
            date,
            action,
            actor: principal.user().clone(),
            actor_token: principal.token_id(),
            client_address: origin.client_address,
            request_id: origin.request_id.clone(),
            target,
            changes: Vec::new(),
        })
    }
}
