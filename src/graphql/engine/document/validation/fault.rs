//! What is wrong with a document, and how the client reads it.

use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::validation::DiagnosticData;
use apollo_compiler::{Schema, ast};

use super::input_field::{FieldAt, field_at};
use super::suggestion;
use crate::graphql::engine::lines::Lines;
use crate::graphql::engine::request_error::{InputPlace, RequestError, shown};

/// Faults of an input value, by the library's name for their rules.
const OF_A_VALUE: [&str; 5] = [
    "UnsupportedValueType",
    "UndefinedEnumValue",
    "UndefinedInputValue",
    "IntCoercionError",
    "FloatCoercionError",
];

/// One fault of a document.
pub(super) struct Fault {
    /// The offset in bytes; `None` if it has no single place.
    pub(super) offset: Option<usize>,
    message: String,
    at: InputPlace,
}

impl Fault {
    /// Of the input value at this place of the document.
    pub(super) fn of_value(
        offset: Option<usize>,
        message: String,
        document: &ast::Document,
    ) -> Self {
        match offset.and_then(|offset| field_at(document, offset)) {
            Some(FieldAt { field, element: Some((index, value)) }) => {
                let at = InputPlace { field: Some(field), index: Some(index) };
                Self { offset, message: with_value(message, value.as_deref()), at }
            }
            Some(FieldAt { field, element: None }) => {
                Self { offset, message, at: InputPlace { field: Some(field), index: None } }
            }
            None => Self { offset, message, at: InputPlace::default() },
        }
    }

    /// As the library has found it in this document.
    pub(super) fn of(error: &DiagnosticData, document: &ast::Document, schema: &Schema) -> Self {
        let offset = error.location().map(|span| span.offset());
        // The library keeps its kinds of error private. Only their names and messages are public,
        // without a promise, hence the pinned version. Only this file and `suggestion` read its
        // prose.
        let rule = error.unstable_error_name().unwrap_or_default();
        let worded_as_graphql_js = error.unstable_compat_message();
        let suggested = worded_as_graphql_js
            .as_deref()
            .and_then(|message| suggestion::after(rule, message, schema));
        let add = |message: String| match &suggested {
            Some(suggested) => format!("{message} {suggested}"),
            None => message,
        };
        if OF_A_VALUE.contains(&rule) {
            // The other wording repeats literals, which may be secrets.
            let message = add(sentence(&error.to_string()));
            return Self::of_value(offset, message, document);
        }
        let field = worded_as_graphql_js
            .as_deref()
            .filter(|_| rule == "RequiredField")
            .and_then(required_field);
        let message = worded_as_graphql_js.unwrap_or_else(|| sentence(&error.to_string()));
        Self { offset, message: add(message), at: InputPlace { field, index: None } }
    }

    /// The error for the client.
    pub(super) fn into_error(self, lines: &Lines) -> RequestError {
        let places = self.offset.map(|offset| lines.pos(offset)).into_iter().collect();
        RequestError::Invalid { message: self.message, at: self.at, places }
    }
}

/// The message, with the element of a list that it is about.
fn with_value(message: String, value: Option<&str>) -> String {
    match value.map(shown) {
        Some(value) if !message.contains(&value) => format!("{message} The value is {value}."),
        _ => message,
    }
}

/// `name` in `Field "CreateApiTokenInput.name" of required type ...`.
fn required_field(message: &str) -> Option<String> {
    let coordinate = message.split('"').nth(1)?;
    coordinate.rsplit('.').next().map(str::to_owned)
}

/// The library's own wording, with a capital and a full stop.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}
