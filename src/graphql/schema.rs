//! What clients see: queries, mutations, types, and putting them together.

mod argument_errors;
mod complexity;
mod connection;
mod guard;
mod id;
pub(super) mod loaders;
mod mutation;
mod permission;
mod query;
mod scalars;
mod types;

use std::sync::Arc;

use async_graphql::{EmptySubscription, SDLExportOptions, Schema, SchemaBuilder};

use self::mutation::Mutation;
use self::permission::with_catalogue;
use self::query::Query;
use crate::domain::catalogue::Catalogue;

pub(super) type AppSchema = Schema<Query, Mutation, EmptySubscription>;

/// The schema definition as served, with the permissions of this catalogue.
pub fn sdl(catalogue: &Arc<Catalogue>) -> String {
    let options = SDLExportOptions::new().include_specified_by();
    builder(catalogue).finish().sdl_with_options(options)
}

/// The schema with the permissions of this catalogue, to which the engine adds its limits.
pub(super) fn builder(
    catalogue: &Arc<Catalogue>,
) -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    with_catalogue(catalogue, || {
        Schema::build(Query::default(), Mutation::default(), EmptySubscription)
    })
}
