//! Revoking a token with nothing but its secret (RFC 7009): it is deleted, by its own user. Whoever
//! found a secret can end it, from any address and also while the token is disabled.

use std::sync::Arc;

use crate::domain::audit::{AuditAction, AuditTarget};
use crate::domain::id::ApiTokenId;
use crate::domain::principal::{Origin, Principal};
use crate::domain::verdict::{TokenRefusal, Verdict};
use crate::repository::{Deleted, Deletion, Unclaimed};
use crate::service::failure::ends_with_failure;
use crate::service::{Failure, Service};

/// Why a token was not revoked. Nothing was changed, unless it is [`Failure::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// The secret is not valid, and neither were many others from this address.
    #[error("too many secrets are not valid")]
    TooManyFailures {
        /// Seconds after which another one is judged.
        retry_after: u32,
    },
    /// It failed for a reason that no other input would avoid.
    #[error(transparent)]
    Failed(Failure),
}

ends_with_failure!(RevokeError);

impl Service {
    /// Deletes the token of a genuine secret; `None` if there is none. The deletion is its user's.
    ///
    /// # Errors
    /// When there were too many failures, or something did not answer.
    pub async fn revoke_api_token(
        &self,
        presented: &str,
        origin: &Origin,
    ) -> Result<Option<ApiTokenId>, RevokeError> {
        let token = match self.judge(presented, origin.client_address).await? {
            Verdict::Valid(usable) => Some(usable.token),
            Verdict::Refused(refusal) => match (refusal.genuine(), refusal) {
                (Some(id), _) => self.repository.api_token(id).await?.map(Arc::new),
                (None, TokenRefusal::TooManyFailures { retry_after, .. }) => {
                    return Err(RevokeError::TooManyFailures { retry_after });
                }
                (None, _) => None,
            },
        };
        let Some(token) = token else { return Ok(None) };
        let (id, now) = (token.id, self.clock.now());
        let (action, target) = (AuditAction::ApiTokenDeleted, AuditTarget::ApiToken(id));
        let event = self.event(action, target, now, &Principal::ApiToken(token), origin)?;
        let deletion = Deletion { id, version: None, event, descendants: None };
        // The holder needs no power of the token's, which may have ended.
        match self.repository.delete_api_token(&Principal::Operator, deletion).await? {
            Deleted::Done { user, .. } => {
                tracing::info!(token_id = %id, user_id = %user.id, "API token revoked");
                Ok(Some(id))
            }
            Deleted::Unclaimed(Unclaimed::NotFound) => Ok(None),
            Deleted::Unclaimed(Unclaimed::Stale { .. } | Unclaimed::CallerChanged)
            | Deleted::TooManyDescendants => {
                Err(Failure::Defect("a revocation asks for no version".to_owned()).into())
            }
        }
    }
}
