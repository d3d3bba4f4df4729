//! `policy`.

use async_graphql::{Context, Object};

use crate::domain::permission::required;
use crate::graphql::context::{principal, service};
use crate::graphql::error::GqlError;
use crate::graphql::schema::guard::Needs;
use crate::graphql::schema::types::Policy;

#[derive(Default)]
pub(super) struct PolicyQuery;

#[Object]
impl PolicyQuery {
    /// The rules for tokens, also for those that were issued before. Needs api.api-tokens.read.
    #[graphql(guard = "Needs(required::API_TOKENS_READ)")]
    async fn policy(&self, ctx: &Context<'_>) -> Result<Option<Policy>, GqlError> {
        Ok(Some(Policy(service(ctx)?.policy(principal(ctx)?).await?)))
    }
}
