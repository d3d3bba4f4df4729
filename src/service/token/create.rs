//! Creating a token with its own user: all checks of the input, then one transaction.

mod check;

use serde_json::{Value, json};

use super::RequestedExpiry;
use super::audit::{in_order, settings};
use super::denial::Attempt;
use super::input::{both, name_taken};
use super::mint::Settings;
use super::once::{ATTEMPTS, Keyed, contended, spent};
use crate::domain::api_token::ApiToken;
use crate::domain::audit::{AuditAction, AuditTarget};
use crate::domain::fault::InputFault;
use crate::domain::permission::PermissionCode;
use crate::domain::principal::{CallerChanged, Origin, Principal};
use crate::domain::secret::PlaintextSecret;
use crate::metrics::Retry;
use crate::repository::{Inserted, NotOnce};
use crate::service::failure::ends_with_failure;
use crate::service::{Failure, Service};

/// What a caller wants, unchecked.
#[derive(Debug, Clone)]
pub struct CreateApiToken {
    /// The name, unchecked.
    pub name: String,
    /// The expiry, unchecked.
    pub expiry: RequestedExpiry,
    /// What it is for, in words, unchecked; it may be empty.
    pub description: String,
    /// The keys and values of its labels, unchecked.
    pub labels: Vec<(String, String)>,
    /// Dotted codes.
    pub permissions: Vec<String>,
    /// Addresses and CIDR networks; an empty list: any address. `None` is refused: a caller that
    /// has lost its list must not make a token that can be used from anywhere.
    pub allowed_addresses: Option<Vec<String>>,
    /// With a key, the same request may come again: it makes another token in the place of the
    /// first one.
    pub idempotency_key: Option<String>,
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
        self.may(principal, origin, AuditAction::ApiTokenCreated)?;
        self.count_change(principal, self.clock.now()).await?;
        for _ in 0..ATTEMPTS {
            if let Some(created) = self.try_to_create(principal, origin, &wanted).await? {
                return Ok(created);
            }
            self.metrics.retries.count(Retry::Create);
        }
        Err(contended().into())
    }

    /// `None` if another request with the same key was faster.
    async fn try_to_create(
        &self,
        principal: &Principal,
        origin: &Origin,
        wanted: &CreateApiToken,
    ) -> Result<Option<CreatedApiToken>, CreateApiTokenError> {
        let refused = |fault| Err(CreateApiTokenError::Refused(vec![fault]));
        let now = self.clock.now();
        let keyed = self.keyed(principal, wanted.idempotency_key.as_deref(), now).await?;
        let orphan = keyed.iter().flatten().find_map(Keyed::orphan);
        let checked = self.check(principal, wanted, orphan, now).await?;
        if checked.is_err() && self.is_outdated(keyed.iter().flatten().next()).await? {
            return Ok(None);
        }
        let attempt = Attempt { principal, origin, action: AuditAction::ApiTokenCreated };
        let (checked, keyed) = match both(checked, keyed) {
            Ok(checked) => checked,
            Err(faults) => {
                self.ensure_current_caller(principal).await?;
                return Err(CreateApiTokenError::Refused(self.denied(attempt, None, faults)));
            }
        };
        if orphan.is_none() {
            self.ensure_room(principal, now).await?;
        }
        let input = canonical(&checked);
        let (minted, secret) = self.mint(now).await?;
        let new = minted.into_token(checked, principal.user());
        let (id, token) = (new.token.id, new.token.clone());
        let target = AuditTarget::ApiToken(id);
        let mut event = self.event(AuditAction::ApiTokenCreated, target, now, principal, origin)?;
        event.changes = settings(&token);
        let mut once = match keyed.clone() {
            Some(keyed) => match self.once(keyed, &input, id, principal, origin)? {
                Ok(once) => Some(once),
                Err(fault) => return refused(fault),
            },
            None => None,
        };
        if let Some(orphan) = once.as_mut().and_then(|once| once.orphan.as_mut()) {
            in_order([&mut orphan.event, &mut event]);
        }
        match self.repository.insert_api_token(principal, new, event, once).await? {
            Inserted::Done => {
                self.counts.made(principal.user_id());
                tracing::info!(token_id = %id, user_id = %token.user_id,
                    by = %principal.user_id(), "API token created");
                Ok(Some(CreatedApiToken { token, secret }))
            }
            Inserted::NameTaken if self.is_outdated(keyed.as_ref()).await? => Ok(None),
            Inserted::NameTaken => refused(name_taken()),
            Inserted::CallerChanged => Err(CallerChanged.into()),
            Inserted::NotOnce(NotOnce::Spent) => refused(spent()),
            Inserted::NotOnce(NotOnce::Raced) => Ok(None),
        }
    }
}

/// What is asked for, in one form.
fn canonical(checked: &Settings) -> Value {
    let Settings {
        name,
        description,
        labels,
        expiry,
        permissions,
        allowed_addresses,
        renewed_from: _,
    } = checked;
    let permissions: Vec<&str> = permissions.iter().map(PermissionCode::as_str).collect();
    let addresses: Vec<String> = allowed_addresses.iter().map(|one| one.to_string()).collect();
    let micros = expiry.timestamp_micros();
    let mut form = vec![json!("create"), json!(name.as_str()), json!(micros)];
    form.extend([json!(permissions), json!(addresses)]);
    // Left out where there is neither, as in the requests that an earlier version has recorded.
    if !description.is_empty() || !labels.is_empty() {
        let labels: Vec<_> = labels.iter().map(|label| [&label.key, &label.value]).collect();
        form.extend([json!(description), json!(labels)]);
    }
    Value::Array(form)
}
