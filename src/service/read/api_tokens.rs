//! Reading tokens.

use std::collections::HashMap;

use super::ReadError;
use crate::db::DbError;
use crate::domain::api_token::{ApiToken, ApiTokenStatus};
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::permission::required;
use crate::domain::policy::{Policy, PolicyRule};
use crate::domain::principal::Principal;
use crate::service::Service;

impl Service {
    /// Whether a token can be used now, by the effective expiry.
    pub fn status(&self, policy: &Policy, token: &ApiToken) -> ApiTokenStatus {
        policy.status(token, self.clock.now())
    }

    /// The rules of a policy that refuse a token now.
    pub fn refused_by(
        &self,
        policy: &Policy,
        token: &ApiToken,
    ) -> impl Iterator<Item = PolicyRule> {
        let now = self.clock.now();
        let used = || self.last_uses.latest(token.id);
        PolicyRule::ALL.into_iter().filter(move |rule| policy.refuses(*rule, token, now, used))
    }

    /// One token. Deleted and unknown are one answer.
    ///
    /// # Errors
    /// When the caller may not read tokens, there is none, or the database does not answer.
    pub async fn api_token(
        &self,
        principal: &Principal,
        id: ApiTokenId,
    ) -> Result<ApiToken, ReadError> {
        principal.require(required::API_TOKENS_READ)?;
        self.repository.api_token(id).await?.ok_or(ReadError::NotFound)
    }

    /// The tokens of these users.
    ///
    /// # Errors
    /// When the caller may not read tokens, or the database does not answer.
    pub async fn api_tokens_by_user(
        &self,
        principal: &Principal,
        users: &[UserId],
    ) -> Result<HashMap<UserId, ApiToken>, ReadError> {
        principal.require(required::API_TOKENS_READ)?;
        let tokens = self.repository.api_tokens_by_user(users).await?;
        Ok(tokens.into_iter().map(|token| (token.user_id, token)).collect())
    }

    /// Those of these tokens that are there.
    ///
    /// # Errors
    /// When the caller may not read tokens, or the database does not answer.
    pub async fn api_tokens_by_id(
        &self,
        principal: &Principal,
        ids: &[ApiTokenId],
    ) -> Result<HashMap<ApiTokenId, ApiToken>, ReadError> {
        principal.require(required::API_TOKENS_READ)?;
        let tokens = self.repository.api_tokens_by_id(ids).await?;
        Ok(tokens.into_iter().map(|token| (token.id, token)).collect())
    }

    /// Is there a token that was not deleted?
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_api_tokens(&self) -> Result<bool, DbError> {
        self.repository.has_api_tokens().await
    }
}
