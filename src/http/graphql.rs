//! `/graphql`: GraphQL over HTTP.

mod cross_origin;
pub(super) mod endpoint;
pub(super) mod negotiation;
mod params;
