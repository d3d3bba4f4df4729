//! `verifyApiToken`: a mutation, though it changes nothing, so that a secret never travels in a
//! URL.

use async_graphql::{Context, InputObject, Object};

use crate::domain::permission::required;
use crate::graphql::context::{can_be_given_up, principal, service};
use crate::graphql::error::{GqlError, report_all, verification_errors};
use crate::graphql::schema::guard::Needs;
use crate::graphql::schema::permission::Permission;
use crate::graphql::schema::types::ApiTokenVerification;
use crate::service::{Service, VerifyApiToken};

/// A secret, and what it is to be used for.
#[derive(InputObject)]
pub(super) struct VerifyApiTokenInput {
    /// The secret, `twr_...`, as it was shown to you. Send it in a variable.
    token: String,
    /// What it is to be used for: all of these permissions are needed. If null or left out, none
    /// is.
    permissions: Option<Vec<Permission>>,
    /// The address of the client that showed you the secret, such as `192.0.2.7`. If null or left
    /// out, a token with allowed addresses is not active (`ADDRESS_UNKNOWN`).
    client_address: Option<String>,
}

impl VerifyApiTokenInput {
    pub(super) fn wanted(self, service: &Service) -> VerifyApiToken {
        let Self { token, permissions, client_address } = self;
        let codes = permissions.unwrap_or_default();
        let codes = codes.iter().map(|permission| permission.code(service.catalogue()));
        VerifyApiToken { secret: token.into(), permissions: codes.collect(), client_address }
    }
}

#[derive(Default)]
pub(super) struct VerifyApiTokenMutation;

#[Object]
impl VerifyApiTokenMutation {
    /// Whether a secret that was shown to you may be used now, from its client's address, for what
    /// it is to be used for. It changes nothing, except when and from where the token was last
    /// used. Not to be sent together with mutations that change something
    /// (`verification_mixed`). Needs api.api-tokens.read.
    #[graphql(guard = "Needs(required::API_TOKENS_READ)")]
    async fn verify_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The secret, and what it is to be used for.")] input: VerifyApiTokenInput,
    ) -> Result<Option<ApiTokenVerification>, GqlError> {
        can_be_given_up(ctx)?;
        let service = service(ctx)?;
        let wanted = vec![input.wanted(service)];
        let decided = service.verify_api_tokens(principal(ctx)?, wanted).await;
        let decided =
            decided.map_err(|error| report_all(ctx, verification_errors(error, false)))?;
        decided.into_iter().next().map(|decided| ApiTokenVerification::of(ctx, decided)).transpose()
    }
}
