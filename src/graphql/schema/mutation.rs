//! The root of mutations, one file each: input, payload and resolver.

mod create_api_token;
mod delete_api_token;
mod renew_api_token;
mod update_api_token;

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
);
