//! The interface of everything that has an id.

use async_graphql::{ID, Interface};

use super::{ApiToken, AuditEvent, Policy, User};

/// An object with an id, by which `node` finds it.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque; unique over all types."))]
pub(in crate::graphql) enum Node {
    ApiToken(ApiToken),
    User(User),
    AuditEvent(AuditEvent),
    Policy(Policy),
}
