//! The GraphQL schema and its execution: async-graphql is known only here.

mod boundary;
mod context;
mod document;
mod engine;
mod error;
mod guard;
mod introspection;
mod limits;
mod loaders;
mod mutation;
mod permission;
mod query;
mod scalars;
mod schema;
mod types;

pub use context::RequestContext;
pub use engine::{Engine, GraphqlRequest, Method, Outcome};
pub use error::{ErrorCode, RETRY_AFTER};
pub use introspection::Introspection;
pub use schema::sdl;
