//! Batches: what many fields of one answer ask for is read by one query.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::runtime::{TokioSpawner, TokioTimer};

use super::error::GqlError;
use crate::domain::api_token::ApiToken;
use crate::domain::id::UserId;
use crate::domain::user::User;
use crate::service::Service;

/// The loaders of one request. They do not outlive it, so what they hold is never stale.
pub(super) struct Loaders {
    pub(super) users: DataLoader<Users>,
    pub(super) tokens_of_users: DataLoader<TokensOfUsers>,
}

impl Loaders {
    pub(super) fn new(service: Arc<Service>) -> Self {
        let users = Users(Arc::clone(&service));
        let tokens = TokensOfUsers(service);
        Self {
            users: batched(users),
            tokens_of_users: batched(tokens),
        }
    }
}

fn batched<T>(loader: T) -> DataLoader<T> {
    DataLoader::new(loader, TokioSpawner::current(), TokioTimer::default())
}

/// Users by id.
pub(super) struct Users(Arc<Service>);

impl Loader<UserId> for Users {
    type Value = User;
    type Error = GqlError;

    async fn load(&self, ids: &[UserId]) -> Result<HashMap<UserId, User>, GqlError> {
        Ok(self.0.users_by_id(ids).await?)
    }
}

/// The tokens of API Token Users.
pub(super) struct TokensOfUsers(Arc<Service>);

impl Loader<UserId> for TokensOfUsers {
    type Value = ApiToken;
    type Error = GqlError;

    async fn load(&self, ids: &[UserId]) -> Result<HashMap<UserId, ApiToken>, GqlError> {
        Ok(self.0.api_tokens_by_user(ids).await?)
    }
}
