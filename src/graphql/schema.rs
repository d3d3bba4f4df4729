//! Putting the schema together.

use std::sync::Arc;

use async_graphql::{EmptySubscription, SDLExportOptions, Schema, SchemaBuilder, ValidationMode};

use super::boundary::BoundaryFactory;
use super::introspection::Introspection;
use super::mutation::Mutation;
use super::permission::with_catalogue;
use super::query::Query;
use crate::domain::catalogue::Catalogue;

pub(super) type AppSchema = Schema<Query, Mutation, EmptySubscription>;

/// Levels of selections; the standard introspection query has 13.
const MAX_DEPTH: usize = 15;
/// Selected fields of one document, those of a page as often as it may have rows: room for the largest
/// page of tokens with all their fields and users, and not for two of them.
const MAX_COMPLEXITY: usize = 10_000;
const MAX_ALIASES: usize = 30;
/// On one field.
const MAX_DIRECTIVES: usize = 5;

/// The schema with the permissions of this catalogue, guarded by the engine's own limits. The linear
/// pass over the text (`limits`) comes before them and does not replace them.
///
/// Documents come here valid: the engine checks no more than these limits.
pub(super) fn build(catalogue: &Arc<Catalogue>, introspection: Introspection) -> AppSchema {
    builder(catalogue)
        .validation_mode(ValidationMode::Fast)
        .extension(BoundaryFactory { introspection })
        .limit_depth(MAX_DEPTH)
        .limit_complexity(MAX_COMPLEXITY)
        .limit_aliases(MAX_ALIASES)
        .limit_directives(MAX_DIRECTIVES)
        .finish()
}

/// The schema definition as served, with the permissions of this catalogue.
pub fn sdl(catalogue: &Arc<Catalogue>) -> String {
    let options = SDLExportOptions::new().include_specified_by();
    builder(catalogue).finish().sdl_with_options(options)
}

fn builder(catalogue: &Arc<Catalogue>) -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    with_catalogue(catalogue, || {
        Schema::build(Query::default(), Mutation::default(), EmptySubscription)
    })
}
