//! Deleting a token. A deletion takes power away, so the permission is enough for any token.

use super::descendants;
use crate::domain::audit::{AuditAction, AuditTarget};
use crate::domain::fault::InputFault;
use crate::domain::id::ApiTokenId;
use crate::domain::principal::{CallerChanged, Origin, Principal};
use crate::domain::user::User;
use crate::repository::{Deleted, Deletion, Unclaimed};
use crate::service::failure::ends_with_failure;
use crate::service::{Failure, Service};

/// Which token to delete.
#[derive(Debug, Clone, Copy)]
pub struct DeleteApiToken {
    /// The id of the token.
    pub id: ApiTokenId,
    /// The version that the caller has seen, if that matters.
    pub version: Option<i32>,
    /// Whether all that came of the token is deleted too, even if the token itself was before.
    pub descendants: bool,
}

/// What remains of a token.
#[derive(Debug)]
pub struct DeletedApiToken {
    /// The id of the token.
    pub id: ApiTokenId,
    /// Its user, now disabled.
    pub user: User,
    /// How many descendants were deleted with it.
    pub descendants: usize,
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
    /// What is wrong with the input.
    #[error("{}", .0.message)]
    Refused(InputFault),
    /// It failed for a reason that no other input would avoid.
    #[error(transparent)]
    Failed(Failure),
}

ends_with_failure!(DeleteApiTokenError);

impl Service {
    /// Deletes a token: the next request with it is refused. Its user remains, disabled, so that
    /// past actions stay attributed. A token may delete itself. With its descendants, a token that
    /// was deleted before counts too, as long as any of them is left.
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
        self.may(principal, origin, AuditAction::ApiTokenDeleted)?;
        let DeleteApiToken { id, version, descendants } = wanted;
        let (now, action) = (self.clock.now(), AuditAction::ApiTokenDeleted);
        let deletion = Deletion {
            id,
            version,
            event: self.event(action, AuditTarget::ApiToken(id), now, principal, origin)?,
            descendants: descendants.then(|| self.descendants(action, now, principal, origin)),
        };
        match self.repository.delete_api_token(principal, deletion).await? {
            Deleted::Done { user, descendants } => {
                tracing::info!(token_id = %id, user_id = %user.id, descendants,
                    by = %principal.user_id(), "API token deleted");
                Ok(DeletedApiToken { id, user, descendants })
            }
            Deleted::TooManyDescendants => {
                Err(DeleteApiTokenError::Refused(descendants::too_many()))
            }
            Deleted::Unclaimed(Unclaimed::NotFound) => Err(DeleteApiTokenError::NotFound),
            Deleted::Unclaimed(Unclaimed::Stale { current_version }) => {
                Err(DeleteApiTokenError::Stale { current_version })
            }
            Deleted::Unclaimed(Unclaimed::CallerChanged) => Err(CallerChanged.into()),
        }
    }
}
