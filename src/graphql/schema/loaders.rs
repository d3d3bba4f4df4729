//! Batches: one query reads what many fields of one answer ask for.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::runtime::{TokioSpawner, TokioTimer};
use futures_util::task::{FutureObj, Spawn, SpawnError};
use tracing::{Instrument, Span};

use crate::domain::api_token::ApiToken;
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::principal::Principal;
use crate::domain::user::User;
use crate::graphql::error::GqlError;
use crate::service::Service;
use crate::trace;

/// Tokens that one query reads at most, since each may have a thousand addresses: twice as many as
/// a page has.
const MAX_TOKENS: usize = 200;

/// The loaders of one request. They do not outlive it, so what they hold is never stale. Each is
/// made when it is first asked: most requests load nothing.
pub(in crate::graphql) struct Loaders {
    service: Arc<Service>,
    principal: Option<Principal>,
    users: OnceLock<DataLoader<Users>>,
    api_tokens: OnceLock<DataLoader<ApiTokens>>,
    api_tokens_by_user: OnceLock<DataLoader<ApiTokensByUser>>,
}

impl Loaders {
    pub(in crate::graphql) const fn new(
        service: Arc<Service>,
        principal: Option<Principal>,
    ) -> Self {
        let users = OnceLock::new();
        let api_tokens = OnceLock::new();
        Self { service, principal, users, api_tokens, api_tokens_by_user: OnceLock::new() }
    }

    pub(super) fn users(&self) -> &DataLoader<Users> {
        self.users.get_or_init(|| batched(Users(self.service(), self.principal.clone())))
    }

    pub(super) fn api_tokens(&self) -> &DataLoader<ApiTokens> {
        let loader = || ApiTokens(self.service(), self.principal.clone());
        self.api_tokens.get_or_init(|| batched(loader()).max_batch_size(MAX_TOKENS))
    }

    pub(super) fn api_tokens_by_user(&self) -> &DataLoader<ApiTokensByUser> {
        let loader = || ApiTokensByUser(self.service(), self.principal.clone());
        self.api_tokens_by_user.get_or_init(|| batched(loader()).max_batch_size(MAX_TOKENS))
    }

    fn service(&self) -> Arc<Service> {
        Arc::clone(&self.service)
    }
}

fn batched<T>(loader: T) -> DataLoader<T> {
    DataLoader::new(loader, InSpan::current(), TokioTimer::default())
}

/// Spawns in the span of the request and in its trace, so that what a batch logs carries its id.
struct InSpan(TokioSpawner, Span);

impl InSpan {
    fn current() -> Self {
        Self(TokioSpawner::current(), Span::current())
    }
}

impl Spawn for InSpan {
    fn spawn_obj(&self, batch: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        let batch = Box::new(trace::carried(batch.instrument(self.1.clone())));
        self.0.spawn_obj(FutureObj::new(batch))
    }
}

/// Users by id.
pub(super) struct Users(Arc<Service>, Option<Principal>);

impl Loader<UserId> for Users {
    type Value = User;
    type Error = GqlError;

    async fn load(&self, ids: &[UserId]) -> Result<HashMap<UserId, User>, GqlError> {
        let principal = self.1.as_ref().ok_or(GqlError::Unauthenticated)?;
        Ok(self.0.users_by_id(principal, ids).await?)
    }
}

/// Tokens by id.
pub(super) struct ApiTokens(Arc<Service>, Option<Principal>);

impl Loader<ApiTokenId> for ApiTokens {
    type Value = ApiToken;
    type Error = GqlError;

    async fn load(&self, ids: &[ApiTokenId]) -> Result<HashMap<ApiTokenId, ApiToken>, GqlError> {
        let principal = self.1.as_ref().ok_or(GqlError::Unauthenticated)?;
        Ok(self.0.api_tokens_by_id(principal, ids).await?)
    }
}

/// The tokens of API Token Users.
pub(super) struct ApiTokensByUser(Arc<Service>, Option<Principal>);

impl Loader<UserId> for ApiTokensByUser {
    type Value = ApiToken;
    type Error = GqlError;

    async fn load(&self, ids: &[UserId]) -> Result<HashMap<UserId, ApiToken>, GqlError> {
        let principal = self.1.as_ref().ok_or(GqlError::Unauthenticated)?;
        Ok(self.0.api_tokens_by_user(principal, ids).await?)
    }
}
