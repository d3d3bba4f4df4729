//! What clients see: queries, mutations, subscriptions, types, and putting them together.

mod argument_errors;
mod complexity;
mod connection;
mod guard;
mod id;
mod leaves;
pub(super) mod loaders;
mod mutation;
mod permission;
mod plain;
mod query;
mod scalars;
mod sdl;
mod subscription;
mod types;

use std::sync::Arc;

use async_graphql::{Schema, SchemaBuilder};

use self::mutation::Mutation;
use self::permission::{Texts, with_catalogue};
use self::query::Query;
use self::subscription::Subscription;
use crate::domain::catalogue::{Catalogue, CatalogueEntry};

pub(super) use mutation::READING;
pub use sdl::sdl;
pub(super) use subscription::{Followed, Source};

pub(super) type AppSchema = Schema<Query, Mutation, Subscription>;

/// The schema with the permissions of this catalogue, to which the engine adds its limits.
pub(super) fn builder(catalogue: &Arc<Catalogue>) -> SchemaBuilder<Query, Mutation, Subscription> {
    with_texts(catalogue, Texts::of)
}

fn with_texts(
    catalogue: &Arc<Catalogue>,
    texts: fn(&CatalogueEntry) -> Texts,
) -> SchemaBuilder<Query, Mutation, Subscription> {
    with_catalogue(catalogue, texts, || {
        Schema::build(Query::default(), Mutation::default(), Subscription)
    })
}
