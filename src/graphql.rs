//! The GraphQL schema and its execution: async-graphql is used only here.
//!
//! `schema` holds what clients see; `engine` turns the text of a request into its answer.

mod context;
mod engine;
mod error;
mod schema;

pub use context::{Notes, RequestContext};
pub use engine::{
    Answer, Delivery, Documents, Engine, GraphqlRequest, Introspection, Method, Outcome,
    Subscriptions, Transport,
};
pub use error::{ErrorCode, RETRY_AFTER, TOKEN_NEEDED, TRY_AGAIN};
pub use schema::sdl;
