//! The interface of everything that has an id.

use async_graphql::{ID, Interface};

use super::{ApiToken, AuditEvent, User};

/// Something with an id, which `node` finds again.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque; unique over all types."))]
pub(in crate::graphql) enum Node {
    ApiToken(ApiToken),
    User(User),
    AuditEvent(AuditEvent),
}
