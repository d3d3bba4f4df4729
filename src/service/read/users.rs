//! Reading users.

use std::collections::HashMap;

use super::ReadError;
use crate::domain::id::UserId;
use crate::domain::permission::required;
use crate::domain::principal::Principal;
use crate::domain::user::User;
use crate::service::{Failure, Service};

impl Service {
    /// The caller's own user.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn current_user(&self, principal: &Principal) -> Result<User, ReadError> {
        self.find_user(principal.user_id()).await
    }

    /// One user.
    ///
    /// # Errors
    /// When the caller may not read users, there is none, or the database does not answer.
    pub async fn user(&self, principal: &Principal, id: UserId) -> Result<User, ReadError> {
        principal.require(required::USERS_READ)?;
        self.find_user(id).await
    }

    /// Those of these users that the caller may see.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn users_by_id(
        &self,
        principal: &Principal,
        ids: &[UserId],
    ) -> Result<HashMap<UserId, User>, Failure> {
        let seen = ids.iter().copied().filter(|id| principal.require_user(*id).is_ok());
        let seen: Vec<UserId> = seen.collect();
        let users = self.repository.users_by_id(&seen).await?;
        Ok(users.into_iter().map(|user| (user.id, user)).collect())
    }

    async fn find_user(&self, id: UserId) -> Result<User, ReadError> {
        self.repository.user(id).await?.ok_or(ReadError::NotFound)
    }
}
