//! Changing a token: its name, whether it is enabled, and its grant, which is only ever narrowed.
//!
//! Refusals come in this order: a token that is not there or reaches further than the caller, a stale
//! version, then all faults of the input together. So a caller learns nothing about a token that is out
//! of reach, and a client that is behind looks first.

mod narrowing;

use std::sync::Arc;

use super::{RequestedExpiry, Service, audit, check};
use crate::db::DbError;
use crate::domain::api_token::ApiToken;
use crate::domain::audit::{AuditAction, AuditEvent};
use crate::domain::fault::InputFault;
use crate::domain::id::ApiTokenId;
use crate::domain::permission::required;
use crate::domain::principal::{CallerChanged, MissingPermission, Origin, Principal};
use crate::domain::random::RandomError;
use crate::repository::{Changed, Plan};

use narrowing::Narrowing;

/// What a caller wants to be different, unchecked. What is none stays as it is.
#[derive(Debug, Clone)]
pub struct UpdateApiToken {
    pub id: ApiTokenId,
    /// The version that the change is based on.
    pub version: i32,
    pub name: Option<String>,
    pub enabled: Option<bool>,
    /// Dotted codes.
    pub permissions: Option<Vec<String>>,
    /// Addresses and CIDR networks; an empty list: any address.
    pub allowed_addresses: Option<Vec<String>>,
    pub expiry: Option<RequestedExpiry>,
}

/// Why a token was not changed. Nothing was, unless it is [`DbError::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum UpdateApiTokenError {
    #[error(transparent)]
    Forbidden(#[from] MissingPermission),
    /// A token that reaches further than the caller is told apart from none by nobody.
    #[error("There is nothing with this id.")]
    NotFound,
    #[error("the token is at version {current_version}")]
    Stale { current_version: i32 },
    /// All that is wrong with the input.
    #[error("the input has {} fault(s)", .0.len())]
    Refused(Vec<InputFault>),
    #[error(transparent)]
    CallerChanged(#[from] CallerChanged),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Service {
    /// Changes a token; its API Token User follows its name. The very next request with it is judged by
    /// what it is then. A change that changes nothing leaves the version as it is. A token may change
    /// itself.
    ///
    /// # Errors
    /// When the caller may not, there is no such token within its reach or not at this version, the
    /// input has faults, or something did not answer.
    pub async fn update_api_token(
        &self,
        principal: &Principal,
        origin: &Origin,
        wanted: UpdateApiToken,
    ) -> Result<ApiToken, UpdateApiTokenError> {
        principal.require(required::API_TOKENS_WRITE)?;
        let (id, version, now) = (wanted.id, wanted.version, self.clock.now());
        let name = match &wanted.name {
            Some(name) => Some(self.check_name(name, Some(id)).await?),
            None => None,
        };
        let narrowing = Narrowing { catalogue: Arc::clone(&self.catalogue), wanted, name, now };
        let event = self.event(AuditAction::ApiTokenUpdated, id, now, principal, origin)?;
        let judge = move |token: &ApiToken| {
            let change = narrowing.of(token)?;
            let changes = audit::replaced(token, &change);
            let event = AuditEvent { changes, ..event.after(token.last_modified_date) };
            let change = (!change.is_empty()).then_some((change, event));
            Ok(Plan { change, renewal: None })
        };
        match self.repository.change_api_token(principal, id, Some(version), judge).await? {
            Changed::Done(token) => {
                if token.version != version {
                    tracing::info!(token_id = %id, by = %principal.user().user_id,
                        "API token updated");
                }
                Ok(*token)
            }
            Changed::NotFound => Err(UpdateApiTokenError::NotFound),
            Changed::Stale { current_version } => {
                Err(UpdateApiTokenError::Stale { current_version })
            }
            Changed::Refused(faults) => Err(UpdateApiTokenError::Refused(faults)),
            Changed::NameTaken => Err(UpdateApiTokenError::Refused(vec![check::name_taken()])),
            Changed::CallerChanged => Err(CallerChanged.into()),
        }
    }
}
