//! The record of a token. It never holds the secret.

use std::net::IpAddr;
use std::sync::Arc;

use super::address::AllowedAddresses;
use super::clock::Instant;
use super::id::{ApiTokenId, UserId};
use super::label::Labels;
use super::permission::PermissionSet;
use super::policy::Policy;
use super::secret::StoredSecret;
use super::user::{User, UserInfo};

/// An API token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// The id of the token.
    pub id: ApiTokenId,
    /// 1 at creation, one more with every change.
    pub version: i32,
    /// When it was created.
    pub creation_date: Instant,
    /// When it was last changed; a use is not a change.
    pub last_modified_date: Instant,
    /// Who created it.
    pub created: UserInfo,
    /// Who last changed it.
    pub last_modified: UserInfo,
    /// The API Token User.
    pub user_id: UserId,
    /// The name, unique among live tokens.
    pub name: String,
    /// What it is for, in words. It gives no authority.
    pub description: String,
    /// What it is for, for programs. They give no authority.
    pub labels: Labels,
    /// The instant from which the token is refused.
    pub expiry: Instant,
    /// From where it may be used.
    pub allowed_addresses: AllowedAddresses,
    /// What it may do.
    pub permissions: PermissionSet,
    /// Whether it may be used.
    pub enabled: bool,
    /// The token that this one is the renewal of.
    pub renewed_from: Option<ApiTokenId>,
    /// Kept to within a minute; none for a token that was never used.
    pub last_use: Option<LastUse>,
    /// When it was last enabled; none for a token that was never disabled.
    pub enabled_date: Option<Instant>,
}

/// When and from where a token was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastUse {
    /// When it was used.
    pub date: Instant,
    /// None where the client's address was not known.
    pub address: Option<IpAddr>,
}

/// Whether a token can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiTokenStatus {
    /// It may be used.
    Active,
    /// It was disabled, and may be enabled again.
    Disabled,
    /// Its expiry is reached.
    Expired,
}

impl ApiToken {
    /// The status at an instant. Expired comes before disabled: no change brings the token back.
    pub fn status(&self, now: Instant) -> ApiTokenStatus {
        if now >= self.expiry {
            ApiTokenStatus::Expired
        } else if self.enabled {
            ApiTokenStatus::Active
        } else {
            ApiTokenStatus::Disabled
        }
    }

    /// Does another token reach no further than this one? Reach is what a token may do and from
    /// where: its permissions and its allowed addresses, not its lifetime.
    pub fn reaches(&self, other: &Self) -> bool {
        other.permissions.is_subset(&self.permissions)
            && self.allowed_addresses.reach().covers_all(&other.allowed_addresses)
    }
}

/// What a presented secret is judged by: the record, its user and the stored secret.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The token.
    pub token: Arc<ApiToken>,
    /// Its API Token User.
    pub user: User,
    /// What the presented secret is compared with.
    pub secret: StoredSecret,
    /// The record of a deleted token is kept, so that the log can distinguish deleted from unknown.
    pub deleted: bool,
    /// The rules for all tokens, as they were when the record was read.
    pub policy: Policy,
}

/// A token that is about to be stored, with its user.
#[derive(Debug, Clone)]
pub struct NewApiToken {
    /// The token.
    pub token: ApiToken,
    /// What the name is compared by.
    pub name_key: String,
    /// What a presented secret is compared with.
    pub secret: StoredSecret,
    /// Its API Token User.
    pub user: User,
}
