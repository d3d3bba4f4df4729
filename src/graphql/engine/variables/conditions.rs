//! The conditions of `@skip` and `@include`, which variables decide.

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, ServerError, Value, Variables};

use crate::graphql::engine::document::{request_error, set};

/// Refuses a condition of the operation that is null: a variable with a default may be null all the same,
/// and the engine would take it for false.
pub(in crate::graphql::engine) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), ServerError> {
    if variables.values().all(|value| *value != Value::Null) {
        return Ok(());
    }
    let mut walk = Walk { document, variables, spread: HashSet::new() };
    walk.set(&operation.selection_set.node)
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    /// Fragments looked at already. Those that only other operations spread have other variables.
    spread: HashSet<&'a Name>,
}

impl<'a> Walk<'a> {
    fn set(&mut self, selections: &'a SelectionSet) -> Result<(), ServerError> {
        for selection in &selections.items {
            for directive in selection.node.directives() {
                self.directive(directive)?;
            }
            match &selection.node {
                Selection::Field(field) => self.set(&field.node.selection_set.node)?,
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.spread.insert(name)
                    {
                        self.set(&fragment.node.selection_set.node)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn directive(&self, directive: &Positioned<Directive>) -> Result<(), ServerError> {
        let has_condition = directive.node.get_argument("if").is_some();
        if !has_condition || holds(&directive.node, self.variables).is_some() {
            return Ok(());
        }
        let message = "The condition of a directive is null, and must be of Boolean!.";
        let mut error = request_error(message.to_owned(), "validation", vec![directive.pos]);
        set(&mut error, "field", "if");
        Err(error)
    }
}

/// Do `@skip` or `@include` leave the selection out?
pub(in crate::graphql::engine) fn skips(
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
