//! Creating a token with its own user: all checks of the input, then one transaction.

mod check;

use chrono::DateTime;

use super::{ProofBusy, Service};
use crate::db::DbError;
use crate::domain::address::{AllowedAddresses, IpNetwork};
use crate::domain::api_token::{ApiToken, NewApiToken};
use crate::domain::audit::{AuditAction, AuditChange, AuditEvent};
use crate::domain::clock::Instant;
use crate::domain::fault::InputFault;
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::permission::{PermissionCode, PermissionSet, required};
use crate::domain::principal::{CallerChanged, MissingPermission, Origin, Principal};
use crate::domain::random::RandomError;
use crate::domain::secret::PlaintextSecret;
use crate::domain::user::User;
use crate::repository::Inserted;

use check::Checked;

/// What a caller wants, unchecked.
#[derive(Debug, Clone)]
pub struct CreateApiToken {
    pub name: String,
    pub expiry: RequestedExpiry,
    /// Dotted codes.
    pub permissions: Vec<String>,
    /// Addresses and CIDR networks; none: any address.
    pub allowed_addresses: Vec<String>,
}

/// An expiry as it was asked for: an instant, or a text that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestedExpiry(Option<Instant>);

impl RequestedExpiry {
    /// An instant.
    pub const fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// Reads a text of RFC 3339. A zone is required; what is finer than a microsecond is cut off, and
    /// a leap second is the second after it. So it is the instant that a database gives back.
    pub fn parse(text: &str) -> Self {
        let instant = DateTime::parse_from_rfc3339(text).ok();
        Self(instant.and_then(|given| DateTime::from_timestamp_micros(given.timestamp_micros())))
    }

    /// The instant, if it is one.
    pub const fn instant(self) -> Option<Instant> {
        self.0
    }
}

/// A token and its secret: the only time that the secret is at hand.
#[derive(Debug)]
pub struct CreatedApiToken {
    pub token: ApiToken,
    pub secret: PlaintextSecret,
}

/// Why no token was made. Nothing was stored, unless it is [`DbError::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum CreateApiTokenError {
    #[error(transparent)]
    Forbidden(#[from] MissingPermission),
    /// All that is wrong with the input.
    #[error("the input has {} fault(s)", .0.len())]
    Refused(Vec<InputFault>),
    #[error(transparent)]
    CallerChanged(#[from] CallerChanged),
    #[error(transparent)]
    Busy(#[from] ProofBusy),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Service {
    /// Makes a token, its secret and its own user; whatever the token does is attributed to that user.
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
        let id = ApiTokenId::generate(now, self.random())?;
        let secret = PlaintextSecret::generate(id, self.random())?;
        let mut salt = [0; 16];
        self.random.fill(&mut salt)?;
        let secret_hash = self.proofs.hash(&secret, salt).await?;
        let user = api_token_user(UserId::generate(now, self.random())?, &checked, now);
        let token = api_token(id, &user, &checked, principal, now);
        let event = self.created_event(&token, principal, origin)?;
        let name_key = checked.name.key().to_owned();
        let new = NewApiToken { token, name_key, secret_hash, user };
        match self.repository.insert_api_token(&new, &event, principal.judged()).await? {
            Inserted::Done => {
                tracing::info!(token_id = %id, user_id = %new.token.user_id,
                    by = %principal.user().user_id, "API token created");
                Ok(CreatedApiToken { token: new.token, secret })
            }
            Inserted::NameTaken => Err(CreateApiTokenError::Refused(vec![check::name_taken()])),
            Inserted::CallerChanged => Err(CallerChanged.into()),
        }
    }

    fn created_event(
        &self,
        token: &ApiToken,
        principal: &Principal,
        origin: &Origin,
    ) -> Result<AuditEvent, RandomError> {
        let (action, date) = (AuditAction::ApiTokenCreated, token.creation_date);
        let changes = vec![
            AuditChange::set("name", &*token.name),
            AuditChange::set("expiry", token.expiry.to_rfc3339()),
            AuditChange::set("permissions", join(token.permissions.iter())),
            AuditChange::set("allowedAddresses", join(token.allowed_addresses.iter())),
        ];
        Ok(AuditEvent { changes, ..self.event(action, token.id, date, principal, origin)? })
    }
}

fn api_token_user(id: UserId, checked: &Checked, now: Instant) -> User {
    User {
        id,
        version: 1,
        creation_date: now,
        last_modified_date: now,
        name: checked.name.as_str().to_owned(),
        service_account: true,
        enabled: true,
    }
}

fn api_token(
    id: ApiTokenId,
    user: &User,
    checked: &Checked,
    principal: &Principal,
    now: Instant,
) -> ApiToken {
    ApiToken {
        id,
        version: 1,
        creation_date: now,
        last_modified_date: now,
        created: principal.user().clone(),
        last_modified: principal.user().clone(),
        user_id: user.id,
        name: user.name.clone(),
        expiry: checked.expiry,
        allowed_addresses: checked.allowed_addresses.clone(),
        permissions: checked.permissions.clone(),
        enabled: true,
        renewed_from: None,
        last_use: None,
    }
}

fn join(values: impl Iterator<Item = impl ToString>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_what_a_database_gives_back() {
        let read = |text: &str| RequestedExpiry::parse(text).instant().unwrap().to_rfc3339();
        let leap = read("2026-12-31T23:59:60Z");
        assert_eq!(leap, "2027-01-01T00:00:00+00:00");
        assert_eq!(read("2027-01-01T01:59:60.5+02:00"), "2027-01-01T00:00:00.500+00:00");
        assert_eq!(read("2027-01-01T00:00:00.1234569Z"), "2027-01-01T00:00:00.123456+00:00");
        assert_eq!(read("1969-12-31T23:59:59.9999999Z"), "1969-12-31T23:59:59.999999+00:00");
    }
}
