//! What becomes different about a token.

use super::address::AllowedAddresses;
use super::clock::Instant;
use super::description::Description;
use super::label::Labels;
use super::name::ApiTokenName;
use super::permission::PermissionSet;

/// The values that a token gets; what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiTokenChange {
    /// The new name.
    pub name: Option<ApiTokenName>,
    /// The new description.
    pub description: Option<Description>,
    /// All labels from now on.
    pub labels: Option<Labels>,
    /// Whether it may be used from now on.
    pub enabled: Option<bool>,
    /// The permissions that remain.
    pub permissions: Option<PermissionSet>,
    /// The addresses that remain.
    pub allowed_addresses: Option<AllowedAddresses>,
    /// The earlier expiry.
    pub expiry: Option<Instant>,
}

impl ApiTokenChange {
    /// Does everything stay as it is?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Does it take power away? What a change does to a grant only ever narrows it.
    pub fn revokes(&self) -> bool {
        self.enabled == Some(false)
            || self.permissions.is_some()
            || self.allowed_addresses.is_some()
            || self.expiry.is_some()
    }
}
