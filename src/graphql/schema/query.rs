//! The root of queries, one file per field or family of fields.

mod api_token;
mod api_tokens;
mod audit_events;
mod current;
mod node;
mod permissions;
mod policy;
mod preview_policy;
mod user;
mod users;

use async_graphql::MergedObject;

pub(super) use api_tokens::ApiTokenFilter;

/// Everything that can be read. Every field needs a token. A field that fails is null, with an
/// error in `errors`.
#[derive(MergedObject, Default)]
pub(in crate::graphql) struct Query(
    current::CurrentQuery,
    api_token::ApiTokenQuery,
    api_tokens::ApiTokensQuery,
    user::UserQuery,
    users::UsersQuery,
    permissions::PermissionsQuery,
    policy::PolicyQuery,
    preview_policy::PreviewPolicyQuery,
    audit_events::AuditEventsQuery,
    node::NodeQuery,
);
