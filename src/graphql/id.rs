//! Ids that clients send.

use std::str::FromStr;

use async_graphql::ID;

use super::error::GqlError;
use crate::domain::fault::InputFault;

/// Reads an id that a client sent.
pub(super) fn parse_id<T: FromStr>(id: &ID) -> Result<T, GqlError> {
    id.parse().map_err(|_| {
        let message = "This is not an id of the type that is asked for.";
        GqlError::Fault(InputFault::invalid("id", "id_syntax", message))
    })
}
