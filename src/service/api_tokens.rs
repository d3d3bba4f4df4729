//! Reading tokens.

use std::collections::HashMap;

use super::{Failure, ReadError, Service};
use crate::db::DbError;
use crate::domain::api_token::ApiToken;
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::permission::required;
use crate::domain::principal::{CallerChanged, Principal};

impl Service {
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

    /// The current state of a token that the caller is about to change. `None` if it does not exist
    /// or reaches further than the caller; the caller cannot distinguish the two. The caller is
    /// read together with the token, so a caller that changed since it was judged learns nothing.
    pub(super) async fn within_reach(
        &self,
        principal: &Principal,
        id: ApiTokenId,
    ) -> Result<Option<ApiToken>, Failure> {
        let found = match principal {
            Principal::Operator => self.repository.api_token(id).await?,
            Principal::ApiToken(own) => {
                let found = self.repository.api_tokens_by_id(&[id, own.id]).await?;
                let is_unchanged =
                    |found: &ApiToken| found.id == own.id && found.version == own.version;
                if !found.iter().any(is_unchanged) {
                    return Err(CallerChanged.into());
                }
                found.into_iter().find(|found| found.id == id)
            }
        };
        Ok(found.filter(|found| principal.reaches(found)))
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
