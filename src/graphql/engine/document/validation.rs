//! Judges documents as graphql-js does. A library in front of the engine does it, because the
//! engine accepts much that the specification forbids.

mod description;
mod fault;
mod input_field;
mod literals;
mod suggestion;

use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Node, Schema, ast};

use self::fault::Fault;
use crate::graphql::engine::limits::MAX_REQUEST_ERRORS;
use crate::graphql::engine::lines::Lines;
use crate::graphql::engine::request_error::RequestError;

/// The schema that documents and variables are judged by.
pub(super) struct Validator {
    schema: Valid<Schema>,
}

impl Validator {
    /// For the schema of this definition.
    pub(super) fn new(sdl: &str) -> Self {
        let parsed = apollo_compiler::Schema::parse_and_validate(sdl, "schema");
        let mut schema = parsed.map_or_else(
            |invalid| {
                tracing::error!("the schema is not valid, which is a defect");
                invalid.partial
            },
            Valid::into_inner,
        );
        description::leave_out(&mut schema);
        Self { schema: Valid::assume_valid(schema) }
    }

    pub(super) const fn schema(&self) -> &Valid<Schema> {
        &self.schema
    }

    /// Judges a document. Call it only within the limits on documents.
    ///
    /// # Errors
    /// The first faults, in their order.
    pub(super) fn check(
        &self,
        mut tree: ast::Document,
        lines: &Lines,
    ) -> Result<Valid<ExecutableDocument>, Vec<RequestError>> {
        let null_defaults = take_null_defaults(&mut tree);
        let (faults, document) = match tree.to_executable_validate(&self.schema) {
            Ok(valid) => (literals::faults(&self.schema, &tree, &valid), Some(valid)),
            Err(invalid) => {
                let mut faults = self.found(&invalid.errors, &tree);
                faults.extend(literals::faults(&self.schema, &tree, &invalid.partial));
                (faults, None)
            }
        };
        match document {
            Some(document) if faults.is_empty() => Ok(with_null_defaults(document, &null_defaults)),
            _ => Err(first(faults, lines)),
        }
    }

    /// What the library has found. It keeps its errors sorted by their places.
    fn found(&self, errors: &DiagnosticList, document: &ast::Document) -> Vec<Fault> {
        let first = errors.iter().take(MAX_REQUEST_ERRORS);
        first.map(|diagnostic| Fault::of(diagnostic.error, document, &self.schema)).collect()
    }
}

fn first(mut faults: Vec<Fault>, lines: &Lines) -> Vec<RequestError> {
    faults.sort_by_key(|fault| fault.offset);
    faults.into_iter().take(MAX_REQUEST_ERRORS).map(|fault| fault.into_error(lines)).collect()
}

/// A default that is null, and the offset of its variable.
type NullDefault = (usize, Node<ast::Value>);

/// A variable whose default is null may be null. The library assumes that any default keeps nulls
/// out, so it gets the document without these defaults.
fn take_null_defaults(document: &mut ast::Document) -> Vec<NullDefault> {
    let mut taken = Vec::new();
    for definition in &mut document.definitions {
        let ast::Definition::OperationDefinition(operation) = definition else { continue };
        if operation.variables.iter().any(|variable| variable.default_value.is_some()) {
            for variable in &mut operation.make_mut().variables {
                let is_null = variable.default_value.as_ref().is_some_and(|value| value.is_null());
                if is_null && !variable.ty.is_non_null() {
                    let place = variable.location().map_or(0, |span| span.offset());
                    taken
                        .extend(variable.make_mut().default_value.take().map(|null| (place, null)));
                }
            }
        }
    }
    taken
}

/// Puts the defaults back into the valid document.
fn with_null_defaults(
    document: Valid<ExecutableDocument>,
    taken: &[NullDefault],
) -> Valid<ExecutableDocument> {
    if taken.is_empty() {
        return document;
    }
    let mut document = document.into_inner();
    let operations = &mut document.operations;
    for operation in operations.anonymous.iter_mut().chain(operations.named.values_mut()) {
        for variable in &mut operation.make_mut().variables {
            let place = variable.location().map_or(0, |span| span.offset());
            if let Some((_, null)) = taken.iter().find(|(taken, _)| *taken == place) {
                variable.make_mut().default_value = Some(null.clone());
            }
        }
    }
    Valid::assume_valid(document)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::domain::catalogue::Catalogue;
    use crate::graphql::schema::sdl;

    #[test]
    fn the_served_schema_is_valid() {
        let sdl = sdl(&Arc::new(Catalogue::built_in().unwrap()));
        assert!(apollo_compiler::Schema::parse_and_validate(sdl, "schema").is_ok());
    }
}
