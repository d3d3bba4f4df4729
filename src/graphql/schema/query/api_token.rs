//! `apiToken`.

use async_graphql::{Context, ID, Object};

use crate::domain::permission::required;
use crate::graphql::context::{held, principal, service};
use crate::graphql::error::GqlError;
use crate::graphql::schema::guard::Needs;
use crate::graphql::schema::id::parse_id;
use crate::graphql::schema::types::ApiToken;

#[derive(Default)]
pub(super) struct ApiTokenQuery;

#[Object]
impl ApiTokenQuery {
    /// One API token. NOT_FOUND when it does not exist or was deleted. Needs api.api-tokens.read.
    #[graphql(guard = "Needs(required::API_TOKENS_READ)")]
    async fn api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token's id, `tok_...`.")] id: ID,
    ) -> Result<Option<ApiToken>, GqlError> {
        let token = service(ctx)?.api_token(principal(ctx)?, parse_id(&id)?).await?;
        Ok(Some(held(ctx, token)?.into()))
    }
}
