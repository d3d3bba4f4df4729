//! Changes that a caller is denied: noted for the audit, since whoever tries what it may not is
//! worth a look.

use crate::domain::audit::AuditAction;
use crate::domain::fault::{FaultKind, InputFault};
use crate::domain::id::ApiTokenId;
use crate::domain::permission::required;
use crate::domain::principal::{MissingPermission, Origin, Principal};
use crate::service::Service;
use crate::service::background::Refusal;

/// Who wants to change what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) principal: &'a Principal,
    pub(super) origin: &'a Origin,
    pub(super) action: AuditAction,
}

impl Service {
    /// May the caller make changes of this kind? Resolvers and use cases both ask here.
    ///
    /// # Errors
    /// When the caller lacks the permission; that is noted for the audit.
    pub fn may(
        &self,
        principal: &Principal,
        origin: &Origin,
        action: AuditAction,
    ) -> Result<(), MissingPermission> {
        let permission = match action {
            AuditAction::PolicyUpdated => required::POLICY_WRITE,
            AuditAction::ApiTokenDeleted | AuditAction::ApiTokenRevoked => {
                required::API_TOKENS_DELETE
            }
            AuditAction::ApiTokenCreated
            | AuditAction::ApiTokenUpdated
            | AuditAction::ApiTokenRenewed
            | AuditAction::ApiTokenChangeDenied
            | AuditAction::ApiTokenUseRefused
            | AuditAction::ApiTokenExpiring
            | AuditAction::ApiTokenExpired => required::API_TOKENS_WRITE,
        };
        let allowed = principal.require(permission);
        if allowed.is_err() {
            self.note_denied(Attempt { principal, origin, action }, "permission_missing", None);
        }
        allowed
    }

    /// Notes the first fault that reaches further than the caller, if there is one.
    pub(super) fn denied(
        &self,
        attempt: Attempt<'_>,
        target: Option<ApiTokenId>,
        faults: Vec<InputFault>,
    ) -> Vec<InputFault> {
        if let Some(fault) = faults.iter().find(|fault| fault.kind == FaultKind::BeyondReach) {
            self.note_denied(attempt, fault.reason, target);
        }
        faults
    }

    /// Notes a denied change. Without a target that is known to exist, it is about the caller's own
    /// token.
    pub(super) fn note_denied(
        &self,
        attempt: Attempt<'_>,
        reason: &'static str,
        target: Option<ApiTokenId>,
    ) {
        let Attempt { principal, origin, action } = attempt;
        let Some(own) = principal.api_token() else { return };
        let refusal = Refusal {
            token: own.id,
            actor: principal.user(),
            action: AuditAction::ApiTokenChangeDenied,
            denied: Some(action),
            reason,
            target: target.unwrap_or(own.id),
            client_address: origin.client_address,
            request_id: origin.request_id.clone(),
        };
        self.refusals.note(refusal, self.clock.now());
    }
}
