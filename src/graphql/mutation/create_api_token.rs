//! `createApiToken`.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use crate::domain::permission::required;
use crate::graphql::context::{origin, principal, service};
use crate::graphql::error::{GqlError, creation_errors, report_all};
use crate::graphql::guard::Needs;
use crate::graphql::permission::Permission;
use crate::graphql::scalars::{DateTime, IpNetwork};
use crate::graphql::types::ApiToken;
use crate::service::CreateApiToken;

/// The settings of a new API token.
#[derive(InputObject)]
struct CreateApiTokenInput {
    /// 1 to 200 characters, no control characters, not blank, and not the name of another token
    /// without regard to case, compatible characters and white space around it.
    name: String,
    /// The instant from which the token is refused: in the future, and no further away than the
    /// server's maximum lifetime (2 years unless set otherwise).
    expiry: DateTime,
    /// What the token may do: at least one, and none that the caller lacks.
    permissions: Vec<Permission>,
    /// From where the token may be used: at most 1,000, all within the caller's own. Empty: any
    /// address.
    #[graphql(default_with = "Some(Vec::new())")]
    allowed_addresses: Option<Vec<IpNetwork>>,
}

/// The new API token, and its secret.
#[derive(SimpleObject)]
struct CreateApiTokenPayload {
    /// The token's record.
    api_token: ApiToken,
    /// The secret. Returned here and never again.
    token: String,
}

#[derive(Default)]
pub(super) struct CreateApiTokenMutation;

#[Object]
impl CreateApiTokenMutation {
    /// Makes an API token and its own user. All faults of the input are reported together, each with
    /// its `field` and `reason`. Needs api.api-tokens.write.
    #[graphql(guard = "Needs(required::API_TOKENS_WRITE)")]
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The settings of the token.")] input: CreateApiTokenInput,
    ) -> Result<Option<CreateApiTokenPayload>, GqlError> {
        let service = service(ctx)?;
        let catalogue = service.catalogue();
        let addresses = input.allowed_addresses.unwrap_or_default();
        let wanted = CreateApiToken {
            name: input.name,
            expiry: input.expiry.requested(),
            permissions: input.permissions.iter().map(|value| value.code(catalogue)).collect(),
            allowed_addresses: addresses.into_iter().map(|address| address.0).collect(),
        };
        let created = service.create_api_token(principal(ctx)?, origin(ctx)?, wanted).await;
        let created = created.map_err(|error| report_all(ctx, creation_errors(error)))?;
        let token = created.secret.reveal().to_owned();
        Ok(Some(CreateApiTokenPayload { api_token: ApiToken(created.token), token }))
    }
}
