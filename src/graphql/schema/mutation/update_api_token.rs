//! `updateApiToken`.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::domain::audit::AuditAction;
use crate::domain::permission::required;
use crate::graphql::context::{origin, principal, service};
use crate::graphql::error::{GqlError, report_all, update_errors};
use crate::graphql::schema::guard::{MayChange, require_to_show};
use crate::graphql::schema::id::parse_id;
use crate::graphql::schema::permission::Permission;
use crate::graphql::schema::scalars::{DateTime, IpNetwork};
use crate::graphql::schema::types::{ApiToken, LabelInput};
use crate::service::UpdateApiToken;

/// The changes to an API token. What is null or left out stays unchanged.
#[derive(InputObject)]
struct UpdateApiTokenInput {
    /// The token's id, `tok_...`.
    id: ID,
    /// The version that you last read. CONFLICT with the reason `version_stale` if the token has
    /// changed since; `extensions.currentVersion` is its current version.
    version: i32,
    /// The new name, under the rules of `createApiToken`; the API Token User gets it too.
    name: Option<String>,
    /// The new description, under the rules of `createApiToken`; an empty text removes it.
    description: Option<String>,
    /// All labels from now on, under the rules of `createApiToken`; an empty list removes them.
    labels: Option<Vec<LabelInput>>,
    /// False: the token is refused from the next request on, until true enables it again. It is
    /// enabled only by who disabled it, by a token that reaches at least as far as that one, or on
    /// the command line, and never by a descendant of it (FORBIDDEN, `enabling_beyond_reach`).
    enabled: Option<bool>,
    /// All permissions that the token keeps: at least one, and none that it lacks
    /// (`permission_widened`).
    permissions: Option<Vec<Permission>>,
    /// All addresses from which it may be used from now on: at most 1,000, within its present ones
    /// (`addresses_widened`). An empty list, which means any address, only if it has none yet.
    allowed_addresses: Option<Vec<IpNetwork>>,
    /// An earlier expiry (a later one is `expiry_widened`), in the future (`expiry_past`). To end
    /// the token now, disable or delete it.
    expiry: Option<DateTime>,
    /// True, only together with `enabled: false` (`descendants_not_disabled`): disables all that
    /// came of the token, too: the tokens that it made, that renewed it, and theirs in turn, to any
    /// depth and whatever they reach; your own, if it is one of them.
    #[graphql(default = false)]
    descendants: bool,
}

/// The changed API token.
#[derive(SimpleObject)]
struct UpdateApiTokenPayload {
    /// The token as it is now. More of it than `id`, `version` and the `name`, `description` and
    /// `labels` that you gave needs api.api-tokens.read, unless it is your own; without, nothing is
    /// changed.
    api_token: ApiToken,
    /// How many descendants were disabled with it. Each has an audit event.
    descendant_count: i32,
}

#[derive(Default)]
pub(super) struct UpdateApiTokenMutation;

#[Object]
impl UpdateApiTokenMutation {
    /// Renames, describes, labels, disables, enables or narrows an API token, from its next request
    /// on. Permissions, addresses and expiry are never widened: create another token, or renew this
    /// one for a later expiry. A change without effect leaves the version unchanged. A token may
    /// change itself. Errors come in this order: NOT_FOUND when the token does not exist, was
    /// deleted or reaches further than the caller; CONFLICT for a stale version; then all faults of
    /// the input together, each with its `field` and `reason`. Needs api.api-tokens.write.
    #[graphql(guard = "MayChange(AuditAction::ApiTokenUpdated)")]
    async fn update_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token and its changes.")] input: UpdateApiTokenInput,
    ) -> Result<Option<UpdateApiTokenPayload>, GqlError> {
        let (service, caller) = (service(ctx)?, principal(ctx)?);
        let id = parse_id(&input.id)?;
        if caller.api_token().is_none_or(|own| own.id != id) {
            let given = [
                ("name", input.name.is_some()),
                ("description", input.description.is_some()),
                ("labels", input.labels.is_some()),
            ];
            let given = given.into_iter().filter(|(_, is_given)| *is_given);
            let mut known = vec!["id", "version"];
            known.extend(given.map(|(field, _)| field));
            require_to_show(ctx, "apiToken", &known, required::API_TOKENS_READ)?;
        }
        let catalogue = service.catalogue();
        let codes = |values: Vec<Permission>| {
            values.iter().map(|value| value.code(catalogue)).collect::<Vec<_>>()
        };
        let texts = |addresses: Vec<IpNetwork>| {
            addresses.into_iter().map(|address| address.0).collect::<Vec<_>>()
        };
        let wanted = UpdateApiToken {
            id,
            version: input.version,
            name: input.name,
            description: input.description,
            labels: input.labels.map(LabelInput::pairs),
            enabled: input.enabled,
            permissions: input.permissions.map(codes),
            allowed_addresses: input.allowed_addresses.map(texts),
            expiry: input.expiry.map(DateTime::requested),
            descendants: input.descendants,
        };
        let updated = service.update_api_token(caller, origin(ctx)?, wanted).await;
        let updated = updated.map_err(|error| report_all(ctx, update_errors(error)))?;
        Ok(Some(UpdateApiTokenPayload {
            api_token: updated.token.into(),
            descendant_count: i32::try_from(updated.descendants).unwrap_or(i32::MAX),
        }))
    }
}
