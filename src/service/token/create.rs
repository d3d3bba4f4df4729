//! Creating a token with its own user: all checks of the input, then one transaction.

mod check;

use super::RequestedExpiry;
use super::audit::settings;
use super::input::name_taken;
use super::mint::Settings;
use crate::domain::api_token::ApiToken;
use crate::domain::audit::{AuditAction, AuditEvent, AuditTarget};
use crate::domain::fault::InputFault;
use crate::domain::permission::required;
use crate::domain::principal::{CallerChanged, Origin, Principal};
use crate::domain::secret::PlaintextSecret;
use crate::repository::Inserted;
use crate::service::failure::ends_with_failure;
use crate::service::{Failure, Service};

/// What a caller wants, unchecked.
#[derive(Debug, Clone)]
pub struct CreateApiToken {
    /// The name, unchecked.
    pub name: String,
    /// The expiry, unchecked.
    pub expiry: RequestedExpiry,
    /// Dotted codes.
    pub permissions: Vec<String>,
    /// Addresses and CIDR networks; an empty list: any address. `None` is refused: a caller that has
    /// lost its list must not make a token that can be used from anywhere.
    pub allowed_addresses: Option<Vec<String>>,
}

/// A token and its secret: the only time that the secret is at hand.
#[derive(Debug)]
pub struct CreatedApiToken {
    /// The token.
    pub token: ApiToken,
    /// Its secret, which exists in clear only here.
    pub secret: PlaintextSecret,
}

/// Why no token was made. Nothing was stored, unless it is [`Failure::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum CreateApiTokenError {
    /// Everything that is wrong with the input.
    #[error("the input has {} fault(s)", .0.len())]
    Refused(Vec<InputFault>),
    /// It failed for a reason that no other input would avoid.
    #[error(transparent)]
    Failed(Failure),
}

ends_with_failure!(CreateApiTokenError);

impl Service {
    /// Makes a token, its secret and its own user; whatever the token does is attributed to that
    /// user.
    ///
    /// # Errors
    /// When the caller may not, the input has faults, or something did not answer.
    pub async fn create_api_token(
        &self,
        principal: &Principal,
        origin: &Origin,
        wanted: CreateApiToken,
    ) -> Result<CreatedApiToken, CreateApiTokenError> {
        principal.require(required::API_TOKENS_WRITE)?;
        let now = self.clock.now();
        let checked = self.check(principal, &wanted, now).await?;
        let checked = checked.map_err(CreateApiTokenError::Refused)?;
        let (minted, secret) = self.mint(now).await?;
        let new = minted.into_token(checked, principal.user());
        let id = new.token.id;
        let target = AuditTarget::ApiToken(id);
        let event = self.event(AuditAction::ApiTokenCreated, target, now, principal, origin)?;
        let event = AuditEvent { changes: settings(&new.token), ..event };
        match self.repository.insert_api_token(principal, &new, &event).await? {
            Inserted::Done => {
                tracing::info!(token_id = %id, user_id = %new.token.user_id,
                    by = %principal.user_id(), "API token created");
                Ok(CreatedApiToken { token: new.token, secret })
            }
            Inserted::NameTaken => Err(CreateApiTokenError::Refused(vec![name_taken()])),
            Inserted::CallerChanged => Err(CallerChanged.into()),
        }
    }
}
