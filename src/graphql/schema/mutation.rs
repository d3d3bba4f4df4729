//! The root of mutations, one file each: input, payload and resolver.

mod create_api_token;
mod delete_api_token;
mod renew_api_token;
mod revoke_api_tokens;
mod update_api_token;
mod update_policy;
mod verify_api_token;
mod verify_api_tokens;

use async_graphql::MergedObject;

/// Everything that can be changed. A field that fails is null, with an error in `errors`, and
/// changes nothing, unless the `reason` is `outcome_unknown`: then the database did not report
/// whether it did. The other fields of the document still run, in their order.
#[derive(MergedObject, Default)]
pub(in crate::graphql) struct Mutation(
    create_api_token::CreateApiTokenMutation,
    update_api_token::UpdateApiTokenMutation,
    renew_api_token::RenewApiTokenMutation,
    delete_api_token::DeleteApiTokenMutation,
    revoke_api_tokens::RevokeApiTokensMutation,
    update_policy::UpdatePolicyMutation,
    verify_api_token::VerifyApiTokenMutation,
    verify_api_tokens::VerifyApiTokensMutation,
);

/// Mutations that change nothing. Where an operation has no others, it is run like a query: it is
/// bounded in time, and its answer is given out only to a caller that is still current.
pub(in crate::graphql) const READING: [&str; 3] =
    ["__typename", "verifyApiToken", "verifyApiTokens"];
