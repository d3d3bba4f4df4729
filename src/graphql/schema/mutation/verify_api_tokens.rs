//! `verifyApiTokens`.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::verify_api_token::VerifyApiTokenInput;
use crate::domain::permission::required;
use crate::graphql::context::{can_be_given_up, principal, service};
use crate::graphql::error::{GqlError, report_all, verification_errors};
use crate::graphql::schema::guard::Needs;
use crate::graphql::schema::types::ApiTokenVerification;
use crate::service::MAX_VERIFIED;

/// Secrets, each with what it is to be used for.
#[derive(InputObject)]
struct VerifyApiTokensInput {
    /// At most 100 (`too_many_tokens`).
    tokens: Vec<VerifyApiTokenInput>,
}

/// What became of the secrets.
#[derive(SimpleObject)]
struct VerifyApiTokensPayload {
    /// One for each of `tokens`, in their order.
    verifications: Vec<ApiTokenVerification>,
}

#[derive(Default)]
pub(super) struct VerifyApiTokensMutation;

#[Object]
impl VerifyApiTokensMutation {
    /// What `verifyApiToken` does, for many secrets with one read. Needs api.api-tokens.read.
    #[graphql(
        guard = "Needs(required::API_TOKENS_READ)",
        complexity = "child_complexity.saturating_mul(MAX_VERIFIED).saturating_add(1)"
    )]
    async fn verify_api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The secrets, each with what it is to be used for.")]
        input: VerifyApiTokensInput,
    ) -> Result<Option<VerifyApiTokensPayload>, GqlError> {
        can_be_given_up(ctx)?;
        let service = service(ctx)?;
        let wanted = input.tokens.into_iter().map(|input| input.wanted(service)).collect();
        let decided = service.verify_api_tokens(principal(ctx)?, wanted).await;
        let decided = decided.map_err(|error| report_all(ctx, verification_errors(error, true)))?;
        let verifications =
            decided.into_iter().map(|decided| ApiTokenVerification::of(ctx, decided));
        Ok(Some(VerifyApiTokensPayload { verifications: verifications.collect::<Result<_, _>>()? }))
    }
}
