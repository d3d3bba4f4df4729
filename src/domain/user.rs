//! Users: the API Token Users and the built-in system user.

use super::clock::Instant;
use super::id::UserId;

/// A user as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// 1 at creation, one more with every change.
    pub version: i32,
    pub creation_date: Instant,
    pub last_modified_date: Instant,
    pub name: String,
    /// True for an API Token User and for the system user.
    pub service_account: bool,
    pub enabled: bool,
}

/// Who did something, by the name that they had then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    pub user_id: UserId,
    pub user_name: String,
}

impl UserInfo {
    /// The built-in system user, for what is done on the command line.
    pub fn system() -> Self {
        Self { user_id: UserId::SYSTEM, user_name: "system".to_owned() }
    }
}
