//! The values of an operation's variables.

use apollo_compiler::executable::VariableDefinition;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Node, Schema};
use async_graphql::{Name, Variables};
use serde_json::{Map, Value};

use super::coercion::Coercion;
use super::values;
use crate::graphql::engine::limits::MAX_REQUEST_ERRORS;
use crate::graphql::engine::lines::Lines;
use crate::graphql::engine::request_error::RequestError;

/// The values of the variables, as the specification coerces them: each of its type, or the default
/// if it is not given. What the operation does not define is left out.
pub(super) fn coerce(
    definitions: &[Node<VariableDefinition>],
    mut given: Map<String, Value>,
    schema: &Valid<Schema>,
    lines: &Lines,
) -> Result<Variables, Vec<RequestError>> {
    let mut variables = Variables::default();
    let mut errors = Vec::new();
    for definition in definitions {
        let VariableDefinition { name, ty, default_value, .. } = &**definition;
        let place = definition.location().map(|span| lines.pos(span.offset()));
        let value = match (given.remove(name.as_str()), default_value) {
            (None, Some(default)) => values::constant(default),
            (None | Some(Value::Null), _) if ty.is_non_null() => {
                let (name, ty) = (name.to_string(), ty.to_string());
                errors.push(RequestError::VariableMissing { name, ty, place });
                continue;
            }
            (None, None) => continue,
            (Some(value), _) => {
                let (value, faults) = Coercion::new(schema).run(value, ty);
                errors.extend(faults.into_iter().map(|fault| fault.into_error(name, place)));
                value
            }
        };
        variables.insert(Name::new(name), value);
    }
    errors.truncate(MAX_REQUEST_ERRORS);
    if errors.is_empty() { Ok(variables) } else { Err(errors) }
}
