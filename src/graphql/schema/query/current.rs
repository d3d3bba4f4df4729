//! `currentApiToken` and `currentUser`: who am I?

use std::sync::Arc;

use async_graphql::{Context, Object};

use crate::graphql::context::{held, principal, service};
use crate::graphql::error::GqlError;
use crate::graphql::schema::plain::One;
use crate::graphql::schema::types::{ApiToken, User};

#[derive(Default)]
pub(super) struct CurrentQuery;

#[Object]
impl CurrentQuery {
    /// The API token that authenticates this request. Every token may ask for itself.
    async fn current_api_token(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<One<ApiToken>>, GqlError> {
        let Some(token) = principal(ctx)?.api_token() else { return Ok(None) };
        Ok(Some(One(ApiToken(held(ctx, Arc::clone(token))?))))
    }

    /// The user that this request acts as: the token's own. Every token may ask.
    async fn current_user(&self, ctx: &Context<'_>) -> Result<Option<One<User>>, GqlError> {
        let user = service(ctx)?.current_user(principal(ctx)?).await?;
        Ok(Some(One(User(held(ctx, user)?))))
    }
}
