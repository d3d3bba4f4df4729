//! The interface of everything that has an id.

use async_graphql::{ID, Interface};

use super::{ApiToken, User};

/// Something with an id, which `node` finds again.
#[derive(Interface)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each field that asks, and not for long"
)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque; unique over all types."))]
pub(in crate::graphql) enum Node {
    ApiToken(ApiToken),
    User(User),
}
