//! Who is asking, and how far they reach.

use std::net::IpAddr;
use std::sync::Arc;

use super::address::AddressReach;
use super::api_token::ApiToken;
use super::id::UserId;
use super::permission::required;
use super::user::UserInfo;

/// Who is asking. Each kind says for itself what it may do: a new one does not compile before every
/// question below has an answer for it.
#[derive(Debug, Clone)]
pub enum Principal {
    /// The operator at the command line, who has the database itself and may therefore do anything.
    /// What they do is attributed to the built-in system user.
    Operator,
    /// An API token, which acts as its own user and within its own grant.
    ApiToken(Arc<ApiToken>),
}

/// The caller lacks a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This needs the permission {0}.")]
pub struct MissingPermission(pub &'static str);

/// The token that asks has been changed or deleted since it was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The token that made this request has changed in the meantime; send the request again.")]
pub struct CallerChanged;

impl Principal {
    /// The user that actions are attributed to.
    pub fn user(&self) -> UserInfo {
        match self {
            Self::Operator => UserInfo::system(),
            Self::ApiToken(own) => UserInfo { user_id: own.user_id, user_name: own.name.clone() },
        }
    }

    /// The id of that user.
    pub fn user_id(&self) -> UserId {
        match self {
            Self::Operator => UserId::SYSTEM,
            Self::ApiToken(own) => own.user_id,
        }
    }

    /// The API token that authenticated the request; none where another kind of credential did.
    pub const fn api_token(&self) -> Option<&Arc<ApiToken>> {
        match self {
            Self::Operator => None,
            Self::ApiToken(own) => Some(own),
        }
    }

    /// The one permission check: resolvers and use cases both ask here.
    ///
    /// # Errors
    /// When the caller does not have the permission.
    pub fn require(&self, permission: &'static str) -> Result<(), MissingPermission> {
        if self.has(permission) { Ok(()) } else { Err(MissingPermission(permission)) }
    }

    /// Does the caller have the permission?
    pub fn has(&self, permission: &str) -> bool {
        match self {
            Self::Operator => true,
            Self::ApiToken(own) => own.permissions.contains(permission),
        }
    }

    /// Does this token reach no further than the caller? Only then may the caller change or renew
    /// it: a caller who could enable or copy a token with more permissions could use those
    /// permissions.
    pub fn reaches(&self, token: &ApiToken) -> bool {
        match self {
            Self::Operator => true,
            Self::ApiToken(own) => own.reaches(token),
        }
    }

    /// The addresses that tokens of this caller's making must stay within.
    pub fn address_reach(&self) -> AddressReach {
        match self {
            Self::Operator => AddressReach::Any,
            Self::ApiToken(own) => own.allowed_addresses.reach(),
        }
    }

    /// May the caller see this user? Everybody may see their own.
    ///
    /// # Errors
    /// When the caller may not.
    pub fn require_user(&self, id: UserId) -> Result<(), MissingPermission> {
        if self.user_id() == id { Ok(()) } else { self.require(required::USERS_READ) }
    }
}

/// Where a request came from, for the audit.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The end client's address; `None` when it is not known.
    pub client_address: Option<IpAddr>,
    /// The id of the HTTP request, as in the log and the `x-request-id` header.
    pub request_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::super::address::{AllowedAddresses, IpNetwork};
    use super::super::clock::Instant;
    use super::super::id::ApiTokenId;
    use super::super::label::Labels;
    use super::super::permission::{PermissionCode, PermissionSet};
    use super::*;

    const READ: &str = required::API_TOKENS_READ;
    const WRITE: &str = required::API_TOKENS_WRITE;

    fn token(permissions: &[&str], addresses: &[&str]) -> ApiToken {
        let number = uuid::Uuid::from_u128(1);
        ApiToken {
            id: ApiTokenId::from_uuid(number),
            version: 1,
            creation_date: Instant::UNIX_EPOCH,
            last_modified_date: Instant::UNIX_EPOCH,
            created: UserInfo::system(),
            last_modified: UserInfo::system(),
            user_id: UserId::from_uuid(number),
            name: "own".to_owned(),
            description: String::new(),
            labels: Labels::default(),
            expiry: Instant::UNIX_EPOCH,
            allowed_addresses: addresses
                .iter()
                .map(|text| IpNetwork::parse(text).unwrap())
                .collect::<AllowedAddresses>(),
            permissions: permissions
                .iter()
                .map(|code| PermissionCode::parse(code).unwrap())
                .collect::<PermissionSet>(),
            enabled: true,
            renewed_from: None,
            last_use: None,
            enabled_date: None,
        }
    }

    fn of(permissions: &[&str], addresses: &[&str]) -> Principal {
        Principal::ApiToken(Arc::new(token(permissions, addresses)))
    }

    /// What each kind may do: permissions, tokens within reach, and whether any address may be
    /// granted.
    #[test]
    fn each_kind_may_do_what_the_table_says() {
        let own = UserId::from_uuid(uuid::Uuid::from_u128(1));
        let [narrow, wide] = [["10.0.0.0/24"], ["10.0.0.0/8"]];
        let tokens = [token(&[READ], &narrow), token(&[READ], &[]), token(&[READ, WRITE], &narrow)];
        // who, user, reads tokens, writes tokens, reads the system user, reaches each of the
        // tokens, any address
        let table = [
            (Principal::Operator, UserId::SYSTEM, true, true, true, [true, true, true], true),
            (of(&[], &[]), own, false, false, false, [false; 3], true),
            (of(&[READ], &[]), own, true, false, false, [true, true, false], true),
            (of(&[READ, WRITE], &wide), own, true, true, false, [true, false, true], false),
            (of(&[READ], &narrow), own, true, false, false, [true, false, false], false),
            (of(&[required::USERS_READ], &wide), own, false, false, true, [false; 3], false),
        ];
        for (who, user, reads, writes, reads_system, reaches, any) in table {
            assert_eq!((who.user_id(), who.user().user_id), (user, user), "{who:?}");
            assert_eq!(who.has(READ), reads, "{who:?}");
            assert_eq!(who.require(READ).is_ok(), reads, "{who:?}");
            assert_eq!(
                who.require(WRITE),
                if writes { Ok(()) } else { Err(MissingPermission(WRITE)) }
            );
            assert!(who.require_user(who.user_id()).is_ok(), "{who:?}");
            assert_eq!(who.require_user(UserId::SYSTEM).is_ok(), reads_system, "{who:?}");
            assert_eq!(tokens.each_ref().map(|token| who.reaches(token)), reaches, "{who:?}");
            assert_eq!(who.address_reach() == AddressReach::Any, any, "{who:?}");
        }
    }
}
