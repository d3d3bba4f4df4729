//! The GraphQL schema and its execution: async-graphql is known only here.

mod begun;
mod boundary;
mod connection;
mod context;
mod cost;
mod discretion;
mod document;
mod documents;
mod engine;
mod error;
mod faults;
mod guard;
mod id;
mod introspection;
mod limits;
mod loaders;
mod mutation;
mod permission;
mod prepared;
mod query;
mod root;
mod scalars;
mod schema;
mod types;
mod validation;
mod variables;

pub use context::RequestContext;
pub use engine::{Engine, GraphqlRequest, Method, Outcome};
pub use error::{ErrorCode, RETRY_AFTER, TOKEN_NEEDED, TRY_AGAIN};
pub use introspection::Introspection;
pub use schema::sdl;
