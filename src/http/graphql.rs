//! `/graphql`: GraphQL over HTTP.

mod answer_body;
mod cross_origin;
pub(super) mod endpoint;
mod negotiation;
mod params;
mod refusal;
