//! What a server without introspection keeps to itself.

use async_graphql::{ServerError, Value};

/// Takes out of a fault of the document, or of its variables, what it tells of the schema: types, fields
/// that are left out, what was meant. Its place stays.
pub(super) fn keep_schema(error: &mut ServerError) {
    let Some(values) = error.extensions.as_mut() else { return };
    if values.get("reason") == Some(&Value::from("validation")) {
        values.unset("field");
        "The document or its variables do not fit the schema here.".clone_into(&mut error.message);
    }
}
