//! The root fields of an operation, each response key once, as the specification collects them.
//!
//! The engine runs a root field as often as it is written. One that changes something would so be done
//! twice, and the second time fail and take the answer of the first with it.

mod flatten;
mod limit;
mod merge;

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection};
use async_graphql::{Positioned, ServerError, Variables};

pub(super) use limit::check as check_number;

/// Is every root field written out, under a response key of its own? There is nothing to collect then.
pub(super) fn is_collected(operation: &OperationDefinition) -> bool {
    let mut keys = HashSet::new();
    let items = &operation.selection_set.node.items;
    items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => keys.insert(&field.node.response_key().node),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
    })
}

/// The operation of a valid document with its root fields collected.
pub(super) fn collect(
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
    variables: &Variables,
) -> Result<Positioned<OperationDefinition>, ServerError> {
    let fields = flatten::root_fields(document, &operation.node, variables);
    let mut operation = operation.clone();
    operation.node.selection_set.node.items = merge::selections(fields, variables)?;
    Ok(operation)
}
