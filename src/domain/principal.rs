//! Who is asking, and how far they reach.

use std::net::IpAddr;
use std::sync::Arc;

use super::address::AddressReach;
use super::api_token::ApiToken;
use super::id::{ApiTokenId, UserId};
use super::user::UserInfo;

/// Who is asking: the user, and the token that authenticated the request.
#[derive(Debug, Clone)]
pub struct Principal {
    user: UserInfo,
    token: Option<Arc<ApiToken>>,
}

/// The caller lacks a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This needs the permission {0}.")]
pub struct MissingPermission(pub &'static str);

/// The token that asks, in the version that it was judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgedToken {
    pub id: ApiTokenId,
    pub version: i32,
}

/// The token that asks has been changed or deleted since it was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The token that made this request has changed in the meantime; send the request again.")]
pub struct CallerChanged;

impl Principal {
    /// The caller that a token authenticated: its own user.
    pub fn of_token(token: Arc<ApiToken>) -> Self {
        let user = UserInfo { user_id: token.user_id, user_name: token.name.clone() };
        Self { user, token: Some(token) }
    }

    /// The operator on the command line, who has the database itself and may therefore do anything.
    pub fn system() -> Self {
        Self { user: UserInfo::system(), token: None }
    }

    /// The user that whatever is done is attributed to.
    pub const fn user(&self) -> &UserInfo {
        &self.user
    }

    /// Is this the caller's own user?
    pub fn is_user(&self, id: UserId) -> bool {
        self.user.user_id == id
    }

    /// The token that authenticated the request; none for the operator.
    pub const fn token(&self) -> Option<&Arc<ApiToken>> {
        self.token.as_ref()
    }

    /// The id of that token.
    pub fn token_id(&self) -> Option<ApiTokenId> {
        self.token.as_ref().map(|token| token.id)
    }

    /// That token as it was judged, for a transaction to ask whether it still is so.
    pub fn judged(&self) -> Option<JudgedToken> {
        self.token.as_ref().map(|token| JudgedToken { id: token.id, version: token.version })
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
        self.token.as_ref().is_none_or(|token| token.permissions.contains(permission))
    }

    /// Does this token reach no further than the caller? Only then may the caller change or renew it:
    /// whoever could enable or copy a token that may more would do more through it.
    pub fn reaches(&self, token: &ApiToken) -> bool {
        self.token.as_ref().is_none_or(|own| {
            token.permissions.is_subset(&own.permissions)
                && own.allowed_addresses.reach().covers_all(&token.allowed_addresses)
        })
    }

    /// The addresses that tokens of this caller's making must stay within.
    pub fn address_reach(&self) -> AddressReach {
        self.token.as_ref().map_or(AddressReach::Any, |token| token.allowed_addresses.reach())
    }
}

/// Where a request came from, for the audit.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The end client's address; `None` when it cannot be told.
    pub client_address: Option<IpAddr>,
    pub request_id: Option<String>,
}
