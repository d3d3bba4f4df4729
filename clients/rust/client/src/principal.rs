use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use crate::Refusal;

/// Who asks: a user and the token that authenticated the request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// The id of the token's own user, `usr_...`.
    pub user_id: String,
    /// The name of that user, which is the name of the token.
    pub user_name: String,
    /// The id of the token, `tok_...`. Never its secret.
    pub token_id: String,
    /// What the token may do, as dotted codes such as `shop.orders.read`.
    pub permissions: BTreeSet<String>,
    /// What its makers wrote on it, such as `tenant=acme`. Labels give no authority by themselves.
    pub labels: BTreeMap<String, String>,
    /// When the token ends.
    pub expiry: SystemTime,
}

impl Principal {
    /// Does the token have all these permissions?
    pub fn has(&self, permissions: impl IntoIterator<Item = impl AsRef<str>>) -> bool {
        permissions.into_iter().all(|permission| self.permissions.contains(permission.as_ref()))
    }

    /// Requires all these permissions.
    ///
    /// # Errors
    /// [`Refusal::InsufficientScope`], which names all of them, where the token lacks one.
    pub fn require(
        &self,
        permissions: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), Refusal> {
        let needed: Vec<String> =
            permissions.into_iter().map(|permission| permission.as_ref().to_owned()).collect();
        if self.has(&needed) {
            return Ok(());
        }
        Err(Refusal::InsufficientScope { scope: needed.join(" ") })
    }
}
