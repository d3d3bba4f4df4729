//! Coerces the value of a variable, given as JSON, to its type, as the specification says.

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::schema::{EnumType, ExtendedType, InputObjectType};
use async_graphql::{Name, Pos, Value};
use serde_json::{Map, Number, Value as Json};

use crate::graphql::engine::limits::MAX_REQUEST_ERRORS;
use crate::graphql::engine::request_error::{InputPlace, RequestError, cut_key, shown};

/// The coercion of one variable.
pub(super) struct Coercion<'a> {
    schema: &'a Schema,
    /// Where in the value it is.
    path: Vec<Step>,
    faults: Vec<Fault>,
}

#[derive(Clone)]
enum Step {
    Field(String),
    Index(usize),
}

/// A part of the value that is not of its type. It holds nothing of the value but names and, to
/// find it in a list, the start of an element.
pub(super) struct Fault {
    path: Vec<Step>,
    reason: String,
}

impl<'a> Coercion<'a> {
    pub(super) const fn new(schema: &'a Schema) -> Self {
        Self { schema, path: Vec::new(), faults: Vec::new() }
    }

    /// The coerced value, and its faults. A faulty part is null.
    pub(super) fn run(mut self, value: Json, ty: &Type) -> (Value, Vec<Fault>) {
        let value = self.value(value, ty);
        (value, self.faults)
    }

    fn value(&mut self, value: Json, ty: &Type) -> Value {
        match value {
            Json::Null if ty.is_non_null() => {
                self.fault(format!("it is null, but must be of type {ty}"))
            }
            Json::Null => Value::Null,
            Json::Array(items) if ty.is_list() => {
                let items = items.into_iter().enumerate();
                Value::List(
                    items.map(|(n, item)| self.at(Step::Index(n), item, ty.item_type())).collect(),
                )
            }
            // A single value is coerced to a list of one.
            value if ty.is_list() => Value::List(vec![self.value(value, ty.item_type())]),
            value => self.named(value, ty.inner_named_type()),
        }
    }

    fn named(&mut self, value: Json, name: &str) -> Value {
        let it = self.subject(&value);
        let coerced = match (self.schema.types.get(name), value) {
            (Some(ExtendedType::InputObject(ty)), Json::Object(fields)) => {
                return self.object(fields, ty);
            }
            (Some(ExtendedType::Enum(ty)), Json::String(text)) => return self.item(&text, ty),
            (Some(ExtendedType::Scalar(_)), value) => scalar(value, name),
            _ => None,
        };
        coerced.unwrap_or_else(|| self.fault(format!("{it} must be of type {name}")))
    }

    fn item(&mut self, text: &str, ty: &EnumType) -> Value {
        if ty.values.contains_key(text) {
            Value::Enum(Name::new(text))
        } else {
            let it = self.subject(&Json::String(text.to_owned()));
            self.fault(format!("{it} must be a value of {}", ty.name))
        }
    }

    /// What a message calls a value: an element of a list is shown.
    fn subject(&self, value: &Json) -> String {
        match (self.path.last(), value) {
            (Some(Step::Index(_)), Json::String(text)) => shown(text),
            (Some(Step::Index(_)), Json::Number(_) | Json::Bool(_)) => shown(&value.to_string()),
            _ => "it".to_owned(),
        }
    }

    fn object(&mut self, mut given: Map<String, Json>, ty: &InputObjectType) -> Value {
        let mut fields = async_graphql::indexmap::IndexMap::new();
        for (name, field) in &ty.fields {
            if let Some(value) = given.remove(name.as_str()) {
                let value = self.at(Step::Field(name.to_string()), value, &field.ty);
                fields.insert(Name::new(name), value);
            } else if field.is_required() {
                self.path.push(Step::Field(name.to_string()));
                self.fault(format!("it is missing, but must be of type {}", field.ty));
                self.path.pop();
            }
        }
        for name in given.into_iter().map(|(name, _)| name) {
            self.path.push(Step::Field(cut_key(&name)));
            self.fault(format!("{} has no such field", ty.name));
            self.path.pop();
        }
        Value::Object(fields)
    }

    fn at(&mut self, step: Step, value: Json, ty: &Type) -> Value {
        self.path.push(step);
        let value = self.value(value, ty);
        self.path.pop();
        value
    }

    fn fault(&mut self, reason: String) -> Value {
        if self.faults.len() < MAX_REQUEST_ERRORS {
            self.faults.push(Fault { path: self.path.clone(), reason });
        }
        Value::Null
    }
}

/// The value of a scalar; those of our own are texts.
fn scalar(value: Json, name: &str) -> Option<Value> {
    Some(match (name, value) {
        ("Int", Json::Number(number)) => Value::from(i32::try_from(whole(&number)?).ok()?),
        ("Float", Json::Number(number)) => Value::Number(number),
        ("Boolean", Json::Bool(holds)) => Value::Boolean(holds),
        ("ID", Json::Number(number)) => Value::String(id(&number)?),
        ("Int" | "Float" | "Boolean", _) => return None,
        (_, Json::String(text)) => Value::String(text),
        _ => return None,
    })
}

/// In JSON, `1` and `1.0` differ only in spelling.
fn whole(number: &Number) -> Option<i64> {
    let float =
        || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 2_f64.powi(53));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole, and within what i64 can hold"
    )]
    number.as_i64().or_else(|| float().map(|float| float as i64))
}

fn id(number: &Number) -> Option<String> {
    whole(number)
        .map(|number| number.to_string())
        .or_else(|| number.as_u64().map(|id| id.to_string()))
}

impl Fault {
    /// The error for the client.
    pub(super) fn into_error(self, variable: &str, place: Option<Pos>) -> RequestError {
        let steps = self.path.iter().map(|step| match step {
            Step::Field(name) => format!(".{name}"),
            Step::Index(index) => format!("[{index}]"),
        });
        let path: String = steps.collect();
        let message = format!("The variable ${variable}{path} cannot be used: {}.", self.reason);
        let names: Vec<&str> = self.path.iter().filter_map(Step::name).collect();
        let field = if names.is_empty() { variable.to_owned() } else { names.join(".") };
        let index = self.path.iter().rev().find_map(Step::index);
        let at = InputPlace { field: Some(field), index };
        RequestError::Invalid { message, at, places: place.into_iter().collect() }
    }
}

impl Step {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Field(name) => Some(name),
            Self::Index(_) => None,
        }
    }

    const fn index(&self) -> Option<usize> {
        match self {
            Self::Field(_) => None,
            Self::Index(index) => Some(*index),
        }
    }
}
