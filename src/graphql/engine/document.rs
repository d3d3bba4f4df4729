//! From the text of a request to the one operation that will run, or to the reason why none will.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
};
use async_graphql::parser::{self, parse_query};
use async_graphql::{ErrorExtensionValues, Pos, Positioned, ServerError, Value};

use super::Method;
use super::introspection;
use super::limits::{self, DocumentLimits};
use crate::graphql::error::ErrorCode;

/// Errors of one request that are told.
pub(super) const MAX_REQUEST_ERRORS: usize = 5;

/// Why a request has no answer of its own.
#[derive(Debug, Clone)]
pub enum Refused {
    /// The document or the variables are at fault.
    Errors(Vec<ServerError>),
    /// A mutation was sent by GET.
    MutationByGet,
    /// A query took too long, and was given up.
    TimedOut,
}

impl From<ServerError> for Refused {
    fn from(error: ServerError) -> Self {
        Self::Errors(vec![error])
    }
}

impl From<Vec<ServerError>> for Refused {
    fn from(errors: Vec<ServerError>) -> Self {
        Self::Errors(errors)
    }
}

/// Parses a document within the limits, and counts its tokens. It may still be invalid.
pub(super) fn parse(text: &str) -> Result<(ExecutableDocument, usize), Refused> {
    let tokens = limits::check(text, &DocumentLimits::default())
        .map_err(|limit| refused(limit.to_string(), limit.reason(), Vec::new()))?;
    let document = parse_query(text).map_err(syntax_error)?;
    // Subscriptions need another transport.
    let mut operations = document.operations.iter();
    if operations.any(|(_, operation)| operation.node.ty == OperationType::Subscription) {
        let message = "This server has no subscriptions.";
        return Err(refused(message.to_owned(), "subscription", Vec::new()));
    }
    if introspection::is_bounded(&document) {
        Ok((document, tokens))
    } else {
        let message = "The document nests the lists of introspection too deeply, or asks for the \
                       whole schema or for types by name too often.";
        Err(refused(message.to_owned(), "introspection_limit", Vec::new()))
    }
}

/// The parser's own text repeats a line of the document, which may hold anything; the place is enough.
fn syntax_error(error: parser::Error) -> Refused {
    use parser::Error::{MissingOperation, RecursionLimitExceeded, Syntax};

    let positions: Vec<Pos> = error.positions().collect();
    let message = match error {
        Syntax { start, .. } => return syntax_error_at(start).into(),
        MissingOperation => "The document has no operation.".to_owned(),
        RecursionLimitExceeded => "The document nests too deeply.".to_owned(),
        _ => {
            "The document is not well-formed: two definitions have the same name, or an operation \
              without a name is not alone."
                .to_owned()
        }
    };
    refused(message, "syntax", positions)
}

/// A syntax error at this place.
pub(super) fn syntax_error_at(Pos { line, column }: Pos) -> ServerError {
    let message = format!("The document has a syntax error at line {line}, column {column}.");
    request_error(message, "syntax", vec![Pos { line, column }])
}

/// The operation that is asked for.
pub(super) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, Refused> {
    let unknown = || {
        let message = "The document has no operation of the name in `operationName`.";
        refused(message.to_owned(), "operation_unknown", Vec::new())
    };
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Single(_), Some(_)) => Err(unknown()),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get(name).ok_or_else(unknown)
        }
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.values();
            match (all.next(), all.next()) {
                (Some(only), None) => Ok(only),
                _ => {
                    let message = "The document has several operations: say which by \
                                   `operationName`.";
                    Err(refused(message.to_owned(), "operation_name_missing", Vec::new()))
                }
            }
        }
    }
}

/// What changes something must not be sent by GET.
pub(super) fn check_method(operation: &OperationDefinition, method: Method) -> Result<(), Refused> {
    match (operation.ty, method) {
        (OperationType::Mutation, Method::Get) => Err(Refused::MutationByGet),
        _ => Ok(()),
    }
}

/// An error of the request itself.
pub(super) fn request_error(
    message: String,
    reason: &'static str,
    locations: Vec<Pos>,
) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.locations = locations;
    set(&mut error, "code", ErrorCode::BadUserInput.as_str());
    set(&mut error, "reason", reason);
    error
}

pub(super) fn set(error: &mut ServerError, name: &str, value: impl Into<Value>) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set(name, value);
}

fn refused(message: String, reason: &'static str, locations: Vec<Pos>) -> Refused {
    request_error(message, reason, locations).into()
}
