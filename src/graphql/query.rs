//! The root of queries, one file per field or family of fields.

mod api_token;
mod current;
mod node;
mod permissions;
mod user;

use async_graphql::MergedObject;

/// What can be read.
#[derive(MergedObject, Default)]
pub(super) struct Query(
    current::CurrentQuery,
    api_token::ApiTokenQuery,
    user::UserQuery,
    permissions::PermissionsQuery,
    node::NodeQuery,
);
