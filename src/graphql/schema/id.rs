//! Ids that clients send.

use std::str::FromStr;

use async_graphql::ID;

use crate::domain::fault::{Field, InputFault};
use crate::graphql::error::GqlError;

/// The message about a text that is not an id.
pub(super) const ID_MESSAGE: &str = "This is not an id of the expected type.";

/// Reads an id that a client sent.
pub(super) fn parse_id<T: FromStr>(id: &ID) -> Result<T, GqlError> {
    id.parse().map_err(|_| GqlError::Fault(InputFault::invalid(Field::Id, "id_syntax", ID_MESSAGE)))
}
