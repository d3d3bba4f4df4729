//! What the library does not check in the values of a document: that no field of an input object is
//! given twice, and that our own scalars are written as strings.

use std::collections::HashSet;

use apollo_compiler::ast::{Type, Value};
use apollo_compiler::executable::{ExecutableDocument, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Node, Schema, ast};

use super::fault::Fault;

/// Faults of the values in a document.
pub(super) fn faults(
    schema: &Schema,
    tree: &ast::Document,
    document: &ExecutableDocument,
) -> Vec<Fault> {
    let mut search = Search { schema, tree, found: Vec::new() };
    for operation in document.operations.iter() {
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                search.value(&variable.ty, default);
            }
        }
        search.selections(&operation.selection_set);
    }
    for fragment in document.fragments.values() {
        search.selections(&fragment.selection_set);
    }
    search.found
}

struct Search<'a> {
    schema: &'a Schema,
    tree: &'a ast::Document,
    found: Vec<Fault>,
}

impl Search<'_> {
    /// Fragments are checked where they are defined.
    fn selections(&mut self, set: &SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    for argument in &field.arguments {
                        if let Some(known) = field.definition.argument_by_name(&argument.name) {
                            self.value(&known.ty, &argument.value);
                        }
                    }
                    if let Some(set) = &field.selection_set {
                        self.selections(set);
                    }
                }
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn value(&mut self, ty: &Type, value: &Node<Value>) {
        let schema = self.schema;
        let named = schema.types.get(ty.inner_named_type());
        match (&**value, named) {
            (Value::Null | Value::Variable(_), _) => {}
            (Value::List(items), _) if ty.is_list() => {
                items.iter().for_each(|item| self.value(ty.item_type(), item));
            }
            (Value::Object(fields), Some(ExtendedType::InputObject(input))) => {
                let mut names = HashSet::new();
                for (field, value) in fields {
                    if !names.insert(field) {
                        let message =
                            format!("There can be only one input field named \"{field}\".");
                        self.add(value, message);
                    }
                    if let Some(known) = input.fields.get(field) {
                        self.value(&known.ty, value);
                    }
                }
            }
            (Value::String(_), _) => {}
            (_, Some(ExtendedType::Scalar(scalar))) if !scalar.is_built_in() => {
                self.add(value, format!("Write a value of {} as a string.", scalar.name));
            }
            _ => {}
        }
    }

    fn add(&mut self, value: &Node<Value>, message: String) {
        let offset = value.location().map(|span| span.offset());
        self.found.push(Fault::of_value(offset, message, self.tree));
    }
}
