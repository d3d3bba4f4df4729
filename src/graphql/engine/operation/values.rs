//! Values of a document as values of the engine.

use apollo_compiler::Node;
use apollo_compiler::ast::Value;
use async_graphql::{Name, Number, Value as ConstValue};
use async_graphql_value::Value as EngineValue;

/// The value, in which variables stay.
pub(super) fn lowered(value: &Value) -> EngineValue {
    match value {
        Value::Null => EngineValue::Null,
        Value::Boolean(boolean) => EngineValue::Boolean(*boolean),
        Value::Enum(name) => EngineValue::Enum(Name::new(name)),
        Value::Variable(name) => EngineValue::Variable(Name::new(name)),
        Value::String(text) => EngineValue::String(text.clone()),
        Value::Int(number) => int(number.as_str()),
        Value::Float(number) => {
            let number = number.as_str().parse().ok().and_then(Number::from_f64);
            number.map_or(EngineValue::Null, EngineValue::Number)
        }
        Value::List(items) => EngineValue::List(items.iter().map(|item| lowered(item)).collect()),
        Value::Object(fields) => EngineValue::Object(
            fields.iter().map(|(name, value)| (Name::new(name), lowered(value))).collect(),
        ),
    }
}

/// A default, in which there are no variables.
pub(super) fn constant(value: &Node<Value>) -> ConstValue {
    lowered(value).into_const().unwrap_or_default()
}

/// Only an id may be larger than the engine's numbers can hold; it becomes a text.
fn int(text: &str) -> EngineValue {
    let signed = text.parse::<i64>().map(Number::from);
    let number = signed.or_else(|_| text.parse::<u64>().map(Number::from));
    number.map_or_else(|_| EngineValue::String(text.to_owned()), EngineValue::Number)
}
