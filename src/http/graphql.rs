//! `/graphql`: GraphQL over HTTP, and subscriptions over WebSocket.

mod answer_body;
mod cross_origin;
pub(super) mod endpoint;
mod negotiation;
mod params;
mod refusal;
mod socket;
