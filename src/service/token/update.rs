//! Changing a token: its name, what it is for, whether it is enabled, and its grant, which is only
//! ever narrowed.
//!
//! The checks run in this order: a token that does not exist or reaches further than the caller, a
//! stale version, then all faults of the input. So a caller learns nothing about a token that is
//! out of reach, and a client with a stale version reads the token again first.

mod enabling;
mod narrowing;

use super::denial::Attempt;
use super::{RequestedExpiry, audit, descendants, input};
use crate::domain::api_token::ApiToken;
use crate::domain::audit::{AuditAction, AuditEvent, AuditTarget};
use crate::domain::fault::{Field, InputFault};
use crate::domain::id::ApiTokenId;
use crate::domain::principal::{CallerChanged, Origin, Principal};
use crate::repository::{Unclaimed, Update, Updated};
use crate::service::failure::ends_with_failure;
use crate::service::{Failure, Service};

use narrowing::Narrowing;

/// The change that a caller wants, unchecked. A field that is `None` stays as it is.
#[derive(Debug, Clone)]
pub struct UpdateApiToken {
    /// The token to change.
    pub id: ApiTokenId,
    /// The version that the change is based on.
    pub version: i32,
    /// The new name.
    pub name: Option<String>,
    /// The new description, unchecked.
    pub description: Option<String>,
    /// The keys and values of all its labels from now on, unchecked.
    pub labels: Option<Vec<(String, String)>>,
    /// Whether it may be used from now on.
    pub enabled: Option<bool>,
    /// Dotted codes.
    pub permissions: Option<Vec<String>>,
    /// Addresses and CIDR networks; an empty list: any address.
    pub allowed_addresses: Option<Vec<String>>,
    /// An earlier expiry.
    pub expiry: Option<RequestedExpiry>,
    /// Whether all that came of the token is disabled too; only with `enabled: false`.
    pub descendants: bool,
}

/// A token as it is after a change.
#[derive(Debug)]
pub struct UpdatedApiToken {
    /// The token.
    pub token: ApiToken,
    /// How many descendants were disabled with it.
    pub descendants: usize,
}

impl UpdateApiToken {
    /// Does it only take power away, as a deletion does?
    fn only_disables(&self) -> bool {
        let Self {
            id: _,
            version: _,
            name,
            description,
            labels,
            enabled,
            permissions,
            allowed_addresses,
            expiry,
            descendants: _,
        } = self;
        *enabled == Some(false)
            && name.is_none()
            && description.is_none()
            && labels.is_none()
            && permissions.is_none()
            && allowed_addresses.is_none()
            && expiry.is_none()
    }
}

/// Why a token was not changed. Nothing was, unless it is [`Failure::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum UpdateApiTokenError {
    /// It does not exist, was deleted, or reaches further than the caller: one answer for all
    /// three.
    #[error("There is nothing with this id.")]
    NotFound,
    /// The token is not at the version that the change is based on.
    #[error("the token is at version {current_version}")]
    Stale {
        /// The version that it is at.
        current_version: i32,
    },
    /// Everything that is wrong with the input.
    #[error("the input has {} fault(s)", .0.len())]
    Refused(Vec<InputFault>),
    /// It failed for a reason that no other input would avoid.
    #[error(transparent)]
    Failed(Failure),
}

ends_with_failure!(UpdateApiTokenError);

impl Service {
    /// Changes a token and renames its API Token User with it. The change applies from the next
    /// request with the token. A change that changes nothing keeps the version. A token may change
    /// itself. A disabled token is enabled only by who disabled it, by a token that reaches at
    /// least as far as that one, or by the operator, and never by a descendant of it.
    ///
    /// # Errors
    /// When the caller may not, there is no such token within its reach or not at this version, the
    /// input has faults, or something did not answer.
    pub async fn update_api_token(
        &self,
        principal: &Principal,
        origin: &Origin,
        wanted: UpdateApiToken,
    ) -> Result<UpdatedApiToken, UpdateApiTokenError> {
        let action = AuditAction::ApiTokenUpdated;
        self.may(principal, origin, action)?;
        let attempt = Attempt { principal, origin, action };
        if !wanted.only_disables() {
            self.count_change(principal, self.clock.now()).await?;
        }
        let (id, version, now) = (wanted.id, wanted.version, self.clock.now());
        let name = match &wanted.name {
            Some(name) => Some(self.check_name(name, Some(id)).await?),
            None => None,
        };
        let token = self.at_version(attempt, id, version).await?;
        let disabling = self.disabling(principal, &token, wanted.enabled).await?;
        let narrowing = Narrowing { catalogue: &self.catalogue, wanted: &wanted, now };
        let change = narrowing.of(&token, name, disabling).map_err(|faults| {
            UpdateApiTokenError::Refused(self.denied(attempt, Some(id), faults))
        })?;
        if !change.is_empty() && version == i32::MAX {
            return Err(UpdateApiTokenError::Refused(vec![input::version_exhausted(
                Field::Version,
                "The token has the largest version there is and cannot be changed; renew it, or \
                 delete it.",
            )]));
        }
        let event = self.event(action, AuditTarget::ApiToken(id), now, principal, origin)?;
        let changes = audit::replaced(&token, &change);
        let event = AuditEvent { changes, ..event.after(token.last_modified_date) };
        let all = wanted.descendants.then(|| self.descendants(action, now, principal, origin));
        let update = Update { id, version, change, event, descendants: all };
        match self.repository.update_api_token(principal, update).await? {
            Updated::Done { token: None, descendants: 0 } => {
                Ok(UpdatedApiToken { token, descendants: 0 })
            }
            Updated::Done { token: changed, descendants } => {
                tracing::info!(token_id = %id, descendants, by = %principal.user_id(),
                    "API token updated");
                Ok(UpdatedApiToken {
                    token: changed.map_or(token, |changed| *changed),
                    descendants,
                })
            }
            Updated::TooManyDescendants => {
                Err(UpdateApiTokenError::Refused(vec![descendants::too_many()]))
            }
            Updated::NameTaken => Err(UpdateApiTokenError::Refused(vec![input::name_taken()])),
            Updated::Unclaimed(Unclaimed::NotFound) => Err(UpdateApiTokenError::NotFound),
            Updated::Unclaimed(Unclaimed::CallerChanged) => Err(CallerChanged.into()),
            // It was changed in the meantime, and may now be out of reach.
            Updated::Unclaimed(Unclaimed::Stale { current_version }) => {
                self.at_version(attempt, id, version).await?;
                Err(UpdateApiTokenError::Stale { current_version })
            }
        }
    }

    /// A token within the caller's reach that is at this version.
    async fn at_version(
        &self,
        attempt: Attempt<'_>,
        id: ApiTokenId,
        version: i32,
    ) -> Result<ApiToken, UpdateApiTokenError> {
        let token = self.within_reach(attempt, id).await?;
        let token = token.ok_or(UpdateApiTokenError::NotFound)?;
        if token.version == version {
            Ok(token)
        } else {
            Err(UpdateApiTokenError::Stale { current_version: token.version })
        }
    }
}
