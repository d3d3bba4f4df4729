//! How much one mutation may do.

use async_graphql::ServerError;
use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};

use crate::graphql::engine::document::request_error;

/// Root fields of one mutation. Each may be expensive, and may fail with many errors.
const MAX_MUTATION_FIELDS: usize = 50;

/// Refuses a mutation of too many root fields. To be called within the limits on nesting and on the
/// expansion of fragments.
pub(in crate::graphql::engine) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
) -> Result<(), ServerError> {
    let counts = operation.ty == OperationType::Mutation;
    let set = &operation.selection_set;
    if !counts || fields(document, &set.node) <= MAX_MUTATION_FIELDS {
        return Ok(());
    }
    let message = format!(
        "The mutation is too long: at most {MAX_MUTATION_FIELDS} root fields are allowed, counting \
         those in the fragments it spreads."
    );
    Err(request_error(message, "root_field_limit", vec![set.pos]))
}

/// The fields as written, whether skipped or not.
fn fields(document: &ExecutableDocument, set: &SelectionSet) -> usize {
    let number = |selection: &Selection| match selection {
        Selection::Field(_) => 1,
        Selection::InlineFragment(inline) => fields(document, &inline.node.selection_set.node),
        Selection::FragmentSpread(spread) => {
            let fragment = document.fragments.get(&spread.node.fragment_name.node);
            fragment.map_or(0, |fragment| fields(document, &fragment.node.selection_set.node))
        }
    };
    set.items.iter().map(|selection| number(&selection.node)).sum()
}
