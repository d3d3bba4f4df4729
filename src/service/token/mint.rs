//! Making a token with its secret and its own user, for a creation and for a renewal.

use crate::domain::address::AllowedAddresses;
use crate::domain::api_token::{ApiToken, NewApiToken};
use crate::domain::clock::Instant;
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::label::Labels;
use crate::domain::name::ApiTokenName;
use crate::domain::permission::PermissionSet;
use crate::domain::secret::{PlaintextSecret, StoredSecret};
use crate::domain::user::{User, UserInfo};
use crate::service::{Failure, Service};

/// What a new token is to be.
pub(super) struct Settings {
    pub(super) name: ApiTokenName,
    pub(super) description: String,
    pub(super) labels: Labels,
    pub(super) expiry: Instant,
    pub(super) permissions: PermissionSet,
    pub(super) allowed_addresses: AllowedAddresses,
    pub(super) renewed_from: Option<ApiTokenId>,
}

/// Ids and hash of a token that is about to be made.
#[derive(Debug, Clone)]
pub(super) struct Minted {
    pub(super) id: ApiTokenId,
    user_id: UserId,
    stored: StoredSecret,
    date: Instant,
}

impl Service {
    /// Draws ids and a secret, and hashes it. This happens before a transaction, because hashing
    /// may have to wait.
    pub(super) async fn mint(&self, now: Instant) -> Result<(Minted, PlaintextSecret), Failure> {
        let id = ApiTokenId::generate(now, self.random())?;
        let user_id = UserId::generate(now, self.random())?;
        let secret = PlaintextSecret::generate(id, self.random())?;
        let mut salt = [0; 16];
        self.random.fill(&mut salt)?;
        let stored = self.proofs.store(&secret, salt).await?;
        Ok((Minted { id, user_id, stored, date: now }, secret))
    }
}

impl Minted {
    /// The token with these settings, and its user.
    pub(super) fn into_token(self, settings: Settings, by: UserInfo) -> NewApiToken {
        let Self { id, user_id, stored, date } = self;
        let Settings {
            name,
            description,
            labels,
            expiry,
            permissions,
            allowed_addresses,
            renewed_from,
        } = settings;
        let user = User {
            id: user_id,
            version: 1,
            creation_date: date,
            last_modified_date: date,
            name: name.as_str().to_owned(),
            service_account: true,
            enabled: true,
        };
        let token = ApiToken {
            id,
            version: 1,
            creation_date: date,
            last_modified_date: date,
            created: by.clone(),
            last_modified: by,
            user_id,
            name: user.name.clone(),
            description,
            labels,
            expiry,
            allowed_addresses,
            permissions,
            enabled: true,
            renewed_from,
            last_use: None,
            enabled_date: None,
        };
        NewApiToken { token, name_key: name.key().to_owned(), secret: stored, user }
    }
}
