//! Deleting a token. A deletion takes power away, so the permission is enough for any token.

use crate::domain::audit::{AuditAction, AuditTarget};
use crate::domain::id::ApiTokenId;
use crate::domain::permission::required;
use crate::domain::principal::{CallerChanged, Origin, Principal};
use crate::domain::user::User;
use crate::repository::{Deleted, Unclaimed};
use crate::service::failure::ends_with_failure;
use crate::service::{Failure, Service};

/// Which token to delete.
#[derive(Debug, Clone, Copy)]
pub struct DeleteApiToken {
    /// The id of the token.
    pub id: ApiTokenId,
    /// The version that the caller has seen, if that matters.
    pub version: Option<i32>,
}

/// What remains of a token.
#[derive(Debug)]
pub struct DeletedApiToken {
    /// The id of the token.
    pub id: ApiTokenId,
    /// Its user, now disabled.
    pub user: User,
}

/// Why no token was deleted. Nothing was changed, unless it is [`Failure::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum DeleteApiTokenError {
    /// It does not exist or was deleted.
    #[error("There is nothing with this id.")]
    NotFound,
    /// The token is not at the version that the change is based on.
    #[error("the token is at version {current_version}")]
    Stale {
        /// The version that it is at.
        current_version: i32,
    },
    /// It failed for a reason that no other input would avoid.
    #[error(transparent)]
    Failed(Failure),
}

ends_with_failure!(DeleteApiTokenError);

impl Service {
    /// Deletes a token: the next request with it is refused. Its user remains, disabled, so that
    /// past actions stay attributed. A token may delete itself.
    ///
    /// # Errors
    /// When the caller may not, there is no such token or not at this version, or something did not
    /// answer.
    pub async fn delete_api_token(
        &self,
        principal: &Principal,
        origin: &Origin,
        wanted: DeleteApiToken,
    ) -> Result<DeletedApiToken, DeleteApiTokenError> {
        principal.require(required::API_TOKENS_DELETE)?;
        let DeleteApiToken { id, version } = wanted;
        let now = self.clock.now();
        let target = AuditTarget::ApiToken(id);
        let event = self.event(AuditAction::ApiTokenDeleted, target, now, principal, origin)?;
        match self.repository.delete_api_token(principal, id, version, event).await? {
            Deleted::Done(user) => {
                tracing::info!(token_id = %id, user_id = %user.id, by = %principal.user_id(),
                    "API token deleted");
                Ok(DeletedApiToken { id, user })
            }
            Deleted::Unclaimed(Unclaimed::NotFound) => Err(DeleteApiTokenError::NotFound),
            Deleted::Unclaimed(Unclaimed::Stale { current_version }) => {
                Err(DeleteApiTokenError::Stale { current_version })
            }
            Deleted::Unclaimed(Unclaimed::CallerChanged) => Err(CallerChanged.into()),
        }
    }
}
