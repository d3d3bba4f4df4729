//! Users: the API Token Users and the built-in system user.

use super::clock::Instant;
use super::id::UserId;

/// A user as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id of the user.
    pub id: UserId,
    /// 1 at creation, one more with every change.
    pub version: i32,
    /// When the user was created.
    pub creation_date: Instant,
    /// When the user was last changed.
    pub last_modified_date: Instant,
    /// The name; that of its token, if it is an API Token User.
    pub name: String,
    /// True for an API Token User and for the system user.
    pub service_account: bool,
    /// Whether the user may act.
    pub enabled: bool,
}

/// Who did something, by the name that they had then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    /// The id of the user.
    pub user_id: UserId,
    /// The name that the user had then.
    pub user_name: String,
}

impl UserInfo {
    /// The built-in system user, for what is done on the command line, and by the server itself.
    pub fn system() -> Self {
        Self { user_id: UserId::SYSTEM, user_name: "system".to_owned() }
    }
}
