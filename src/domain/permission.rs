//! Permission codes and sets of them.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// What Tokenwright itself asks for. These codes are in every catalogue.
pub mod required {
    /// To read API tokens and audit events.
    pub const API_TOKENS_READ: &str = "api.api-tokens.read";
    /// To create, change and renew API tokens.
    pub const API_TOKENS_WRITE: &str = "api.api-tokens.write";
    /// To delete API tokens.
    pub const API_TOKENS_DELETE: &str = "api.api-tokens.delete";
    /// To read users.
    pub const USERS_READ: &str = "api.users.read";
    /// To change the policy.
    pub const POLICY_WRITE: &str = "api.policy.write";

    /// All of them.
    pub const ALL: [&str; 5] =
        [API_TOKENS_READ, API_TOKENS_WRITE, API_TOKENS_DELETE, USERS_READ, POLICY_WRITE];
}

/// A dotted code: namespace, resource, action, such as `api.api-tokens.write`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionCode(Arc<str>);

/// The text is not a permission code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a permission code: three parts joined by dots, each of lower-case letters, \
     digits and hyphens and starting with a letter, at most 100 characters in all"
)]
pub struct InvalidPermissionCode(String);

impl PermissionCode {
    /// Reads a code.
    ///
    /// # Errors
    /// When the text does not have the form.
    pub fn parse(text: &str) -> Result<Self, InvalidPermissionCode> {
        let well_formed =
            text.len() <= 100 && text.split('.').count() == 3 && text.split('.').all(is_part);
        if well_formed {
            Ok(Self(text.into()))
        } else {
            Err(InvalidPermissionCode(text.chars().take(100).collect()))
        }
    }

    /// A code that the database holds: it was read strictly before it was stored.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The dotted code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the permission is about: `api-tokens`.
    pub fn resource(&self) -> &str {
        self.0.split('.').nth(1).unwrap_or_default()
    }

    /// What it allows there: `write`.
    pub fn action(&self) -> &str {
        self.0.split('.').nth(2).unwrap_or_default()
    }

    /// The name of its value in the GraphQL enum: `API_API_TOKENS_WRITE`.
    pub fn enum_name(&self) -> String {
        self.0.to_ascii_uppercase().replace(['.', '-'], "_")
    }
}

fn is_part(part: &str) -> bool {
    part.starts_with(|first: char| first.is_ascii_lowercase())
        && part
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

impl fmt::Display for PermissionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for PermissionCode {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A set of permissions. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PermissionSet(Arc<BTreeSet<PermissionCode>>);

impl PermissionSet {
    /// Is there no permission in the set?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is the permission in the set?
    pub fn contains(&self, code: &str) -> bool {
        self.0.contains(code)
    }

    /// Is every permission of this set in the other one?
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The permissions, sorted by code.
    pub fn iter(&self) -> impl Iterator<Item = &PermissionCode> {
        self.0.iter()
    }
}

impl FromIterator<PermissionCode> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = PermissionCode>>(codes: I) -> Self {
        Self(Arc::new(codes.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_code_apart() {
        let code = PermissionCode::parse(required::API_TOKENS_WRITE).unwrap();
        assert_eq!(code.resource(), "api-tokens");
        assert_eq!(code.action(), "write");
        assert_eq!(code.enum_name(), "API_API_TOKENS_WRITE");
    }

    #[test]
    fn refuses_what_is_no_code() {
        for text in [
            "",
            "api",
            "api.users",
            "api.users.read.all",
            "Api.users.read",
            "api..read",
            "api.1.read",
            "api.us ers.read",
        ] {
            assert!(PermissionCode::parse(text).is_err(), "{text}");
        }
    }
}
