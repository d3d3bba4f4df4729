//! The root of queries, one file per field or family of fields.

mod api_token;
mod current;
mod node;
mod permissions;
mod user;

use async_graphql::{ID, MergedObject};

use super::error::GqlError;
use crate::domain::fault::InputFault;

/// What can be read.
#[derive(MergedObject, Default)]
pub(super) struct Query(
    current::CurrentQuery,
    api_token::ApiTokenQuery,
    user::UserQuery,
    permissions::PermissionsQuery,
    node::NodeQuery,
);

/// Reads an id that a client sent.
fn parse_id<T: std::str::FromStr>(id: &ID) -> Result<T, GqlError> {
    id.parse().map_err(|_| {
        let message = "This is not an id of the type that is asked for.";
        GqlError::Fault(InputFault::invalid("id", "id_syntax", message))
    })
}
