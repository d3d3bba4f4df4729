//! `renewApiToken`.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::domain::audit::AuditAction;
use crate::graphql::context::{origin, principal, service};
use crate::graphql::error::{GqlError, renewal_errors, report_all};
use crate::graphql::schema::guard::MayChange;
use crate::graphql::schema::id::parse_id;
use crate::graphql::schema::scalars::DateTime;
use crate::graphql::schema::types::ApiToken;
use crate::service::RenewApiToken;

/// The API token to renew, and how.
#[derive(InputObject)]
struct RenewApiTokenInput {
    /// The id of the old token, `tok_...`. It may have expired; it must not be disabled
    /// (`token_disabled`), and it must have allowed addresses where the policy requires them
    /// (`addresses_required`).
    id: ID,
    /// The instant from which the new token is refused: in the future (`expiry_past`), and no
    /// further away than the server's maximum lifetime (`expiry_too_far`), which is two years
    /// unless set otherwise, nor than the policy allows (`expiry_beyond_policy`). Where the server is
    /// set so, no later than that of your own token (`expiry_beyond_maker`).
    expiry: DateTime,
    /// The name of the new token, under the rules of `createApiToken`. If null or left out: the old
    /// name with today's date (UTC), such as `ci 2027-01-31`, in place of the date of an earlier
    /// renewal.
    name: Option<String>,
    /// How many seconds the old token still works, unless it expires sooner; 0 ends it now. If null
    /// or left out, it keeps its expiry.
    overlap_seconds: Option<i32>,
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
struct RenewApiTokenPayload {
    /// The record of the new token; `renewedFrom` is the old one.
    api_token: ApiToken,
    /// The secret of the new token. It is shown here and never again: store it now.
    token: String,
}

#[derive(Default)]
pub(super) struct RenewApiTokenMutation;

#[Object]
impl RenewApiTokenMutation {
    /// Creates an API token with the permissions, deprecated ones included, the allowed addresses,
    /// the description and the labels of another one, and with a secret and a user of its own. A
    /// token may renew itself.
    /// NOT_FOUND when the token does not exist, was deleted or reaches further than the caller.
    /// Otherwise all faults of the input are reported together, each with its `field` and `reason`.
    /// Needs api.api-tokens.write.
    #[graphql(guard = "MayChange(AuditAction::ApiTokenRenewed)")]
    async fn renew_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token to renew, and how.")] input: RenewApiTokenInput,
    ) -> Result<Option<RenewApiTokenPayload>, GqlError> {
        let wanted = RenewApiToken {
            id: parse_id(&input.id)?,
            expiry: input.expiry.requested(),
            name: input.name,
            overlap_seconds: input.overlap_seconds,
            idempotency_key: input.idempotency_key,
        };
        let renewed = service(ctx)?.renew_api_token(principal(ctx)?, origin(ctx)?, wanted).await;
        let renewed = renewed.map_err(|error| report_all(ctx, renewal_errors(error)))?;
        let token = renewed.secret.reveal().to_owned();
        Ok(Some(RenewApiTokenPayload { api_token: renewed.token.into(), token }))
    }
}
