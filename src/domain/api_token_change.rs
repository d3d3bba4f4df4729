//! What becomes different about a token.

use super::address::AllowedAddresses;
use super::clock::Instant;
use super::name::ApiTokenName;
use super::permission::PermissionSet;

/// The values that a token gets; what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiTokenChange {
    pub name: Option<ApiTokenName>,
    pub enabled: Option<bool>,
    pub permissions: Option<PermissionSet>,
    pub allowed_addresses: Option<AllowedAddresses>,
    pub expiry: Option<Instant>,
}

impl ApiTokenChange {
    /// Does everything stay as it is?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
