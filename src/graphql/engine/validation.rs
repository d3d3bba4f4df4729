//! Judges documents as graphql-js does: by a library in front of the engine, which accepts much that the
//! specification forbids.

mod description;
mod fault;
mod literals;
mod place;
mod suggestion;

use apollo_compiler::ast;
use apollo_compiler::parser::Parser;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticList, Valid};
use async_graphql::ServerError;

use self::fault::Fault;
use super::document::MAX_REQUEST_ERRORS;

/// Nesting that the library's parser follows; more than the limits let through.
const MAX_RECURSION: usize = 200;

/// The schema as documents and variables are held to it.
pub(super) struct Validator {
    schema: Valid<apollo_compiler::Schema>,
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

    /// A type of the schema.
    pub(super) fn type_named(&self, name: &str) -> Option<&ExtendedType> {
        self.schema.types.get(name)
    }

    /// Judges a document. To be called within the limits on documents.
    ///
    /// # Errors
    /// The first faults, in their order.
    pub(super) fn check(&self, text: &str) -> Result<(), Vec<ServerError>> {
        let mut faults = self.faults(text);
        faults.sort_by_key(|fault| fault.offset);
        let told = faults.into_iter().take(MAX_REQUEST_ERRORS);
        let errors: Vec<ServerError> = told.map(|fault| fault.into_error(text)).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn faults(&self, text: &str) -> Vec<Fault> {
        let mut parser = Parser::new().recursion_limit(MAX_RECURSION);
        let mut document = match parser.parse_ast(text, "document") {
            Ok(document) => document,
            Err(invalid) => return self.found(&invalid.errors, &invalid.partial),
        };
        leave_out_null_defaults(&mut document);
        match document.to_executable_validate(&self.schema) {
            Ok(valid) => literals::faults(&self.schema, &valid),
            Err(invalid) => {
                let mut faults = self.found(&invalid.errors, &document);
                faults.extend(literals::faults(&self.schema, &invalid.partial));
                faults
            }
        }
    }

    /// What the library has found. It keeps its errors sorted by their places.
    fn found(&self, errors: &DiagnosticList, document: &ast::Document) -> Vec<Fault> {
        let told = errors.iter().take(MAX_REQUEST_ERRORS);
        told.map(|diagnostic| Fault::of(diagnostic.error, document, &self.schema)).collect()
    }
}

/// A variable whose default is null may be null. The library takes any default for one that keeps nulls out.
fn leave_out_null_defaults(document: &mut ast::Document) {
    for definition in &mut document.definitions {
        if let ast::Definition::OperationDefinition(operation) = definition {
            for variable in &mut operation.make_mut().variables {
                let is_null = variable.default_value.as_ref().is_some_and(|value| value.is_null());
                if is_null && !variable.ty.is_non_null() {
                    variable.make_mut().default_value = None;
                }
            }
        }
    }
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
