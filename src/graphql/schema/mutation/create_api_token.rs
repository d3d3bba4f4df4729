//! `createApiToken`.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use crate::domain::audit::AuditAction;
use crate::graphql::context::{origin, principal, service};
use crate::graphql::error::{GqlError, creation_errors, report_all};
use crate::graphql::schema::guard::MayChange;
use crate::graphql::schema::permission::Permission;
use crate::graphql::schema::scalars::{DateTime, IpNetwork};
use crate::graphql::schema::types::{ApiToken, LabelInput};
use crate::service::CreateApiToken;

/// The settings of a new API token.
#[derive(InputObject)]
struct CreateApiTokenInput {
    /// The name that people know the token by: 1 to 200 characters, not blank, without control
    /// characters. CONFLICT with the reason `name_taken` if another token has it; case, compatible
    /// characters and surrounding white space do not matter.
    name: String,
    /// What the token is for, in words: at most 1,000 characters (`description_too_long`). It gives
    /// no authority.
    description: Option<String>,
    /// What the token is for, as pairs of a key and a value: at most 20 (`labels_too_many`), no key
    /// twice (`label_key_duplicate`). Labels give no authority.
    labels: Option<Vec<LabelInput>>,
    /// The instant from which the token is refused: in the future (`expiry_past`), and no further
    /// away than the server's maximum lifetime (`expiry_too_far`), which is two years unless set
    /// otherwise, nor than the policy allows (`expiry_beyond_policy`). Where the server is set so, no later than that of your own token
    /// (`expiry_beyond_maker`).
    expiry: DateTime,
    /// What the token may do: at least one. FORBIDDEN with the reason `permission_beyond_reach` for
    /// each that your own token lacks.
    permissions: Vec<Permission>,
    /// The addresses and networks from which the token may be used: at most 1,000; an empty list
    /// means any address. Null is refused (`addresses_null`), so that a client that has lost its
    /// list creates no token that can be used from anywhere. FORBIDDEN with the reason
    /// `addresses_beyond_reach` for what lies outside those of your own token, and for an empty
    /// list where yours has some. An empty list is refused where the policy requires addresses
    /// (`addresses_required`).
    #[graphql(default_with = "Some(Vec::new())")]
    allowed_addresses: Option<Vec<IpNetwork>>,
    /// Makes a retry safe: if no answer comes, send the same input with the same key again within
    /// 24 hours. The token of the first request, whose secret nobody has, is deleted, and the
    /// answer shows a new token and a new secret. 1 to 200 visible ASCII characters, such as a
    /// UUID; each caller has keys of its own. CONFLICT with the reason `idempotency_key_reused` for
    /// another input, and `idempotency_key_spent` if that token was used, changed, renewed or
    /// deleted since.
    idempotency_key: Option<String>,
}

/// The new API token, and its secret.
#[derive(SimpleObject)]
struct CreateApiTokenPayload {
    /// The token's record, which never holds the secret.
    api_token: ApiToken,
    /// The secret, `twr_` and 72 more characters, to send as `Authorization: Bearer SECRET`. It is
    /// shown here and never again: store it now.
    token: String,
}

#[derive(Default)]
pub(super) struct CreateApiTokenMutation;

#[Object]
impl CreateApiTokenMutation {
    /// Creates an API token with a user of its own, and shows its secret only once. A new token
    /// never reaches further than the token that creates it. All faults of the input are reported
    /// together, each with its `field` and `reason`. Needs api.api-tokens.write.
    #[graphql(guard = "MayChange(AuditAction::ApiTokenCreated)")]
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The settings of the token.")] input: CreateApiTokenInput,
    ) -> Result<Option<CreateApiTokenPayload>, GqlError> {
        let service = service(ctx)?;
        let catalogue = service.catalogue();
        let texts = |addresses: Vec<IpNetwork>| {
            addresses.into_iter().map(|address| address.0).collect::<Vec<_>>()
        };
        let wanted = CreateApiToken {
            name: input.name,
            description: input.description.unwrap_or_default(),
            labels: input.labels.map(LabelInput::pairs).unwrap_or_default(),
            expiry: input.expiry.requested(),
            permissions: input.permissions.iter().map(|value| value.code(catalogue)).collect(),
            allowed_addresses: input.allowed_addresses.map(texts),
            idempotency_key: input.idempotency_key,
        };
        let created = service.create_api_token(principal(ctx)?, origin(ctx)?, wanted).await;
        let created = created.map_err(|error| report_all(ctx, creation_errors(error)))?;
        let token = created.secret.reveal().to_owned();
        Ok(Some(CreateApiTokenPayload { api_token: created.token.into(), token }))
    }
}
