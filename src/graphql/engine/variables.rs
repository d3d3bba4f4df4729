//! The variables of an operation.

mod coercion;
mod conditions;

use apollo_compiler::ast::Type;
use apollo_compiler::{Name, name};
use async_graphql::parser::types::{BaseType, OperationDefinition, VariableDefinition};
use async_graphql::{Positioned, ServerError, Variables};
use serde_json::{Map, Value};

use self::coercion::Coercion;
use super::document::{MAX_REQUEST_ERRORS, request_error, set};
use super::validation::Validator;

pub(super) use self::conditions::{check as check_conditions, skips};

/// The values of a valid operation's variables, as the specification coerces them: each of its type, and
/// the default where there is none. What the operation does not define is left out.
pub(super) fn coerce(
    operation: &OperationDefinition,
    mut given: Map<String, Value>,
    validator: &Validator,
) -> Result<Variables, Vec<ServerError>> {
    let mut variables = Variables::default();
    let mut errors = Vec::new();
    for definition in &operation.variable_definitions {
        let VariableDefinition { name, var_type, default_value, .. } = &definition.node;
        let value = match given.remove(name.node.as_str()) {
            None if default_value.is_some() => {
                default_value.as_ref().map(|value| value.node.clone())
            }
            None | Some(Value::Null) if !var_type.node.nullable => {
                errors.push(missing(definition));
                None
            }
            None => None,
            Some(value) => {
                let (value, faults) = Coercion::new(validator).run(value, &type_of(&var_type.node));
                errors.extend(faults.into_iter().map(|fault| fault.into_error(definition)));
                Some(value)
            }
        };
        if let Some(value) = value {
            variables.insert(name.node.clone(), value);
        }
    }
    errors.truncate(MAX_REQUEST_ERRORS);
    if errors.is_empty() { Ok(variables) } else { Err(errors) }
}

fn missing(definition: &Positioned<VariableDefinition>) -> ServerError {
    let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
    let message = format!("The variable ${name} of the type {ty} needs a value.");
    let mut error = request_error(message, "variable_missing", vec![definition.pos]);
    set(&mut error, "field", name.as_str());
    error
}

/// The same type in the validator's terms. The parser lets only names through that are ones.
fn type_of(ty: &async_graphql::parser::types::Type) -> Type {
    let nullable = match &ty.base {
        BaseType::Named(name) => Type::Named(Name::new(name).unwrap_or(name!("_"))),
        BaseType::List(item) => type_of(item).list(),
    };
    if ty.nullable { nullable } else { nullable.non_null() }
}
