//! `user`.

use async_graphql::{Context, ID, Object};

use crate::domain::permission::required;
use crate::graphql::context::{held, principal, service};
use crate::graphql::error::GqlError;
use crate::graphql::schema::guard::Needs;
use crate::graphql::schema::id::parse_id;
use crate::graphql::schema::types::User;

#[derive(Default)]
pub(super) struct UserQuery;

#[Object]
impl UserQuery {
    /// One user. NOT_FOUND when it does not exist. Needs api.users.read.
    #[graphql(guard = "Needs(required::USERS_READ)")]
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's id, `usr_...`.")] id: ID,
    ) -> Result<Option<User>, GqlError> {
        let user = service(ctx)?.user(principal(ctx)?, parse_id(&id)?).await?;
        Ok(Some(User(held(ctx, user)?)))
    }
}
