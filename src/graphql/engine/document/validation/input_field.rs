//! Finds what is at a place in a document: the input field, and the element of a list.

use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Definition, DirectiveList, Document, Selection, Value};
use apollo_compiler::parser::SourceSpan;

/// An input field with a value, or an argument that is not an input object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldAt {
    /// `permissions` inside `input: {permissions: [X]}`.
    pub(super) field: String,
    /// Which element of a list, and its text.
    pub(super) element: Option<(usize, Option<String>)>,
}

/// The input field whose value is at this place.
pub(super) fn field_at(document: &Document, offset: usize) -> Option<FieldAt> {
    let search = Search { offset };
    let path = document.definitions.iter().find_map(|definition| match definition {
        Definition::OperationDefinition(operation) => {
            let variables = operation.variables.iter().find_map(|variable| {
                search.value(variable.name.as_str(), variable.default_value.as_ref()?)
            });
            variables
                .or_else(|| search.directives(&operation.directives))
                .or_else(|| search.selections(&operation.selection_set))
        }
        Definition::FragmentDefinition(fragment) => search
            .directives(&fragment.directives)
            .or_else(|| search.selections(&fragment.selection_set)),
        _ => None,
    })?;
    let field = match path.names.as_slice() {
        [argument] => (*argument).to_owned(),
        [_, fields @ ..] => fields.join("."),
        [] => return None,
    };
    Some(FieldAt { field, element: path.element.map(|(index, value)| (index, text(value))) })
}

/// A value of one word, as it is written.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("null".to_owned()),
        Value::Enum(name) => Some(name.to_string()),
        Value::Boolean(boolean) => Some(boolean.to_string()),
        Value::Int(number) => Some(number.as_str().to_owned()),
        Value::Float(number) => Some(number.as_str().to_owned()),
        Value::String(text) => Some(text.clone()),
        Value::Variable(_) | Value::List(_) | Value::Object(_) => None,
    }
}

struct Search {
    offset: usize,
}

/// The way from an argument inwards.
struct Path<'a> {
    names: Vec<&'a str>,
    /// The last element of a list on it.
    element: Option<(usize, &'a Value)>,
}

impl Search {
    fn is_in(&self, span: Option<SourceSpan>) -> bool {
        span.is_some_and(|span| (span.offset()..span.end_offset()).contains(&self.offset))
    }

    fn selections<'a>(&self, selections: &'a [Selection]) -> Option<Path<'a>> {
        let around = selections.iter().find(|selection| self.is_in(selection.location()))?;
        match around {
            Selection::Field(field) => self
                .arguments(&field.arguments)
                .or_else(|| self.directives(&field.directives))
                .or_else(|| self.selections(field.selection_set.as_deref().unwrap_or_default())),
            Selection::FragmentSpread(spread) => self.directives(&spread.directives),
            Selection::InlineFragment(inline) => self
                .directives(&inline.directives)
                .or_else(|| self.selections(&inline.selection_set)),
        }
    }

    fn directives<'a>(&self, directives: &'a DirectiveList) -> Option<Path<'a>> {
        directives.iter().find_map(|directive| self.arguments(&directive.arguments))
    }

    fn arguments<'a>(&self, arguments: &'a [Node<Argument>]) -> Option<Path<'a>> {
        arguments.iter().find_map(|argument| self.value(argument.name.as_str(), &argument.value))
    }

    fn value<'a>(&self, name: &'a str, value: &'a Node<Value>) -> Option<Path<'a>> {
        self.is_in(value.location()).then(|| {
            let mut path = Path { names: vec![name], element: None };
            self.extend(&mut path, value);
            path
        })
    }

    fn extend<'a>(&self, path: &mut Path<'a>, value: &'a Value) {
        match value {
            Value::List(items) => {
                let mut items = items.iter().enumerate();
                if let Some((index, item)) = items.find(|(_, item)| self.is_in(item.location())) {
                    path.element = Some((index, item));
                    self.extend(path, item);
                }
            }
            Value::Object(fields) => {
                let around = fields.iter().find(|(_, value)| self.is_in(value.location()));
                if let Some((name, value)) = around {
                    path.names.push(name.as_str());
                    self.extend(path, value);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_around_a_value_is_found() {
        let text = "query ($v: I = {d: HERE1}) @e(f: HERE2) {
            a { b(input: {permissions: [A, HERE3], c: {d: HERE4}}) @skip(if: HERE5) }
            ... @include(if: HERE6) { b(id: HERE7, c: {}) }
        } fragment F on T @g(h: HERE8) { b { c(i: {j: [{k: HERE9}]}) } }";
        let document = Document::parse(text, "").unwrap();
        let fields = ["d", "f", "permissions", "c.d", "if", "if", "id", "h", "j.k"];
        for (number, field) in (1..).zip(fields) {
            let offset = text.find(&format!("HERE{number}")).unwrap();
            let found = field_at(&document, offset).unwrap();
            assert_eq!(found.field, field, "{number}");
            let element = match number {
                3 => Some((1, Some("HERE3".to_owned()))),
                9 => Some((0, None)),
                _ => None,
            };
            assert_eq!(found.element, element, "{number}");
        }
        assert_eq!(field_at(&document, text.find("input").unwrap()), None);
    }
}
