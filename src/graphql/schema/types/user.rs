//! Users, and who did what.

use async_graphql::parser::types::Field;
use async_graphql::{Context, ID, Object};

use super::ApiToken;
use crate::domain::id::UserId;
use crate::domain::permission::required;
use crate::domain::user;
use crate::graphql::context::{held, principal};
use crate::graphql::error::GqlError;
use crate::graphql::schema::guard::Needs;
use crate::graphql::schema::loaders::Loaders;
use crate::graphql::schema::plain::Plain;
use crate::graphql::schema::scalars::DateTime;

/// A user.
pub(in crate::graphql) struct User(pub(in crate::graphql) user::User);

/// A user. Every API token has one of its own, to which everything that the token does is
/// attributed.
#[Object]
impl User {
    /// `usr_...`. Opaque; sorts by creation.
    pub(in crate::graphql) async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// 1 at creation, one more with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// When the user was created.
    async fn creation_date(&self) -> DateTime {
        self.0.creation_date.into()
    }

    /// When the user was last changed; initially, when it was created.
    async fn last_modified_date(&self) -> DateTime {
        self.0.last_modified_date.into()
    }

    /// The name. An API Token User has that of its token.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// True for API Token Users and the built-in system user, false for people.
    async fn service_account(&self) -> bool {
        self.0.service_account
    }

    /// Whether the user may act: false once its token is deleted.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// The token that this user belongs to. Null for a user without a token and once its token is
    /// deleted. Needs api.api-tokens.read.
    #[graphql(guard = "Needs(required::API_TOKENS_READ)")]
    async fn api_token(&self, ctx: &Context<'_>) -> Result<Option<ApiToken>, GqlError> {
        let token = loaders(ctx)?.api_tokens_by_user().load_one(self.0.id).await?;
        token.map(|token| held(ctx, token).map(ApiToken::from)).transpose()
    }
}

impl Plain for User {
    fn is_plain(field: &Field) -> bool {
        matches!(
            field.name.node.as_str(),
            "id" | "version"
                | "creationDate"
                | "lastModifiedDate"
                | "name"
                | "serviceAccount"
                | "enabled"
        )
    }
}

/// Who did something.
pub(in crate::graphql) struct UserInfo(pub(in crate::graphql) user::UserInfo);

/// Who did something.
#[Object]
impl UserInfo {
    /// The user's id, `usr_...`.
    async fn user_id(&self) -> ID {
        self.0.user_id.into()
    }

    /// The name that the user had then.
    async fn user_name(&self) -> &str {
        &self.0.user_name
    }

    /// The user as it is now. Needs api.users.read, except for the caller's own.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>, GqlError> {
        load_user(ctx, self.0.user_id).await
    }
}

/// A nested user: its permission is checked here, and many users are read by one query.
pub(super) async fn load_user(ctx: &Context<'_>, id: UserId) -> Result<Option<User>, GqlError> {
    principal(ctx)?.require_user(id)?;
    let user = loaders(ctx)?.users().load_one(id).await?;
    user.map(|user| held(ctx, user).map(User)).transpose()
}

/// The loaders of this request.
pub(super) fn loaders<'a>(ctx: &Context<'a>) -> Result<&'a Loaders, GqlError> {
    ctx.data_opt().ok_or_else(|| GqlError::internal("the request has no loaders"))
}
