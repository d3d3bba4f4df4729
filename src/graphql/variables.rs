//! The variables of an operation, and the conditions that they decide.

use async_graphql::parser::types::{Directive, OperationDefinition};
use async_graphql::{Positioned, ServerError, Value, Variables};

use super::document::{MAX_REQUEST_ERRORS, request_error, set};

/// Every required variable must have a value: the engine would run without.
pub(super) fn check(
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), Vec<ServerError>> {
    let missing = operation.variable_definitions.iter().filter(|definition| {
        let definition = &definition.node;
        let value = variables.get(&definition.name.node);
        let given = value.is_some_and(|value| *value != Value::Null);
        // A default steps in for a variable that is left out, not for one that is null.
        let default = definition.default_value.is_some() && value.is_none();
        !definition.var_type.node.nullable && !given && !default
    });
    let errors: Vec<ServerError> = missing
        .take(MAX_REQUEST_ERRORS)
        .map(|definition| {
            let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
            let message = format!("The variable ${name} of the type {ty} needs a value.");
            let mut error = request_error(message, "variable_missing", vec![definition.pos]);
            set(&mut error, "field", name.as_str());
            error
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Gives the variables that are left out their defaults: the engine does not know them when it judges
/// `@skip` and `@include`.
pub(super) fn complete(operation: &OperationDefinition, variables: &mut Variables) {
    for definition in &operation.variable_definitions {
        let definition = &definition.node;
        if let Some(default) = &definition.default_value {
            variables.entry(definition.name.node.clone()).or_insert_with(|| default.node.clone());
        }
    }
}

/// Do `@skip` or `@include` leave the selection out? A condition that is no boolean counts as false,
/// as it does for the engine.
pub(super) fn skips(directives: &[Positioned<Directive>], variables: &Variables) -> bool {
    directives.iter().any(|directive| {
        let directive = &directive.node;
        let condition = directive.get_argument("if").map(|condition| {
            let value = condition.node.clone();
            value.into_const_with(|name| variables.get(&name).cloned().ok_or(()))
        });
        let holds = condition.map(|value| value == Ok(Value::Boolean(true)));
        match directive.name.node.as_str() {
            "skip" => holds == Some(true),
            "include" => holds == Some(false),
            _ => false,
        }
    })
}
