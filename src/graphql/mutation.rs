//! The root of mutations, one file each: input, payload and resolver.

mod create_api_token;
mod delete_api_token;

use async_graphql::MergedObject;

/// What can be changed.
#[derive(MergedObject, Default)]
pub(super) struct Mutation(
    create_api_token::CreateApiTokenMutation,
    delete_api_token::DeleteApiTokenMutation,
);
