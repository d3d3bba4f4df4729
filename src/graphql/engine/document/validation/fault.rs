//! What is wrong with a document, and how the client reads it.

use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::validation::DiagnosticData;
use apollo_compiler::{Schema, ast};

use super::input_field::field_at;
use super::suggestion;
use crate::graphql::engine::lines::Lines;
use crate::graphql::engine::request_error::RequestError;

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
    field: Option<String>,
}

impl Fault {
    /// Of an input value.
    pub(super) fn of_value(offset: Option<usize>, message: String, field: String) -> Self {
        Self { offset, message, field: Some(field) }
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
        let (message, field) = if rule == "RequiredField" {
            let field = worded_as_graphql_js.as_deref().and_then(required_field);
            (worded_as_graphql_js, field)
        } else if OF_A_VALUE.contains(&rule) {
            // The other wording repeats literals, which may be secrets.
            (None, offset.and_then(|offset| field_at(document, offset)))
        } else {
            (worded_as_graphql_js, None)
        };
        let mut message = message.unwrap_or_else(|| sentence(&error.to_string()));
        if let Some(suggested) = suggested {
            message.push(' ');
            message.push_str(&suggested);
        }
        Self { offset, message, field }
    }

    /// The error for the client.
    pub(super) fn into_error(self, lines: &Lines) -> RequestError {
        let places = self.offset.map(|offset| lines.pos(offset)).into_iter().collect();
        RequestError::Invalid { message: self.message, field: self.field, places }
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
