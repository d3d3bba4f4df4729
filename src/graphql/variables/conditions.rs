//! The conditions of `@skip` and `@include`, which variables decide.

use async_graphql::parser::types::{
    Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Positioned, ServerError, Value, Variables};

use crate::graphql::document::{request_error, set};

/// Refuses a condition that is null: a variable with a default may be null all the same, and the engine
/// would take it for false.
pub(in crate::graphql) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), ServerError> {
    if variables.values().all(|value| *value != Value::Null) {
        return Ok(());
    }
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    let mut sets = fragments.chain([&operation.selection_set.node]);
    sets.try_for_each(|set| check_within(set, variables))
}

fn check_within(selections: &SelectionSet, variables: &Variables) -> Result<(), ServerError> {
    for selection in &selections.items {
        for directive in selection.node.directives() {
            let condition = directive.node.get_argument("if");
            if condition.is_some() && holds(&directive.node, variables).is_none() {
                let message = "The condition of a directive is null, and must be of Boolean!.";
                let places = vec![directive.pos];
                let mut error = request_error(message.to_owned(), "validation", places);
                set(&mut error, "field", "if");
                return Err(error);
            }
        }
        match &selection.node {
            Selection::Field(field) => check_within(&field.node.selection_set.node, variables)?,
            Selection::InlineFragment(inline) => {
                check_within(&inline.node.selection_set.node, variables)?;
            }
            Selection::FragmentSpread(_) => {}
        }
    }
    Ok(())
}

/// Do `@skip` or `@include` leave the selection out?
pub(in crate::graphql) fn skips(
    directives: &[Positioned<Directive>],
    variables: &Variables,
) -> bool {
    directives.iter().any(|directive| {
        let holds = holds(&directive.node, variables);
        match directive.node.name.node.as_str() {
            "skip" => holds == Some(true),
            "include" => holds == Some(false),
            _ => false,
        }
    })
}

/// Is the condition true? `None` where it is no boolean.
fn holds(directive: &Directive, variables: &Variables) -> Option<bool> {
    let condition = directive.get_argument("if")?.node.clone();
    match condition.into_const_with(|name| variables.get(&name).cloned().ok_or(())) {
        Ok(Value::Boolean(holds)) => Some(holds),
        _ => None,
    }
}
