//! `deleteApiToken`.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::domain::audit::AuditAction;
use crate::domain::permission::required;
use crate::graphql::context::{origin, principal, service};
use crate::graphql::error::GqlError;
use crate::graphql::schema::guard::{MayChange, require_to_show};
use crate::graphql::schema::id::parse_id;
use crate::graphql::schema::types::User;
use crate::service::DeleteApiToken;

/// The API token to delete.
#[derive(InputObject)]
struct DeleteApiTokenInput {
    /// The token's id, `tok_...`.
    id: ID,
    /// The version that you last read. CONFLICT with the reason `version_stale` if the token has
    /// changed since; `extensions.currentVersion` is its current version. If null or left out, the
    /// version does not matter.
    version: Option<i32>,
    /// True: deletes all that came of the token, too: the tokens that it made, that renewed it, and
    /// theirs in turn, to any depth and whatever they reach; your own, if it is one of them. If the
    /// token itself was deleted before, those that are left are deleted.
    #[graphql(default = false)]
    descendants: bool,
}

/// What remains of a deleted API token.
#[derive(SimpleObject)]
struct DeleteApiTokenPayload {
    /// The id that the token had.
    deleted_api_token_id: ID,
    /// The token's user, which remains, now disabled. More of it than `id`, `version` and `enabled`
    /// needs api.users.read, unless it is your own; without, nothing is deleted.
    user: User,
    /// How many descendants were deleted with it. Each has an audit event.
    descendant_count: i32,
}

#[derive(Default)]
pub(super) struct DeleteApiTokenMutation;

#[Object]
impl DeleteApiTokenMutation {
    /// Deletes an API token for good: the next request with its secret is refused, and its name is
    /// free again. Its user remains, disabled, so that the token's actions stay attributed. A token
    /// may delete itself. NOT_FOUND when it does not exist or was deleted. What the token made
    /// remains, unless `descendants` is true. Needs api.api-tokens.delete.
    #[graphql(guard = "MayChange(AuditAction::ApiTokenDeleted)")]
    async fn delete_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token to delete.")] input: DeleteApiTokenInput,
    ) -> Result<Option<DeleteApiTokenPayload>, GqlError> {
        let DeleteApiTokenInput { id, version, descendants } = input;
        let (caller, id) = (principal(ctx)?, parse_id(&id)?);
        if caller.api_token().is_none_or(|own| own.id != id) {
            require_to_show(ctx, "user", &["id", "version", "enabled"], required::USERS_READ)?;
        }
        let wanted = DeleteApiToken { id, version, descendants };
        let deleted = service(ctx)?.delete_api_token(caller, origin(ctx)?, wanted).await?;
        Ok(Some(DeleteApiTokenPayload {
            deleted_api_token_id: deleted.id.into(),
            user: User(deleted.user),
            descendant_count: i32::try_from(deleted.descendants).unwrap_or(i32::MAX),
        }))
    }
}
