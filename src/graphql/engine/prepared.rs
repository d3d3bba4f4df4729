//! A request that is ready to run.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
};
use async_graphql::{Positioned, Request, ServerError, Variables};

use super::document::{self, Refused};
use super::documents::Documents;
use super::{GraphqlRequest, Method};
use super::{root, variables};

/// The one operation that is to run, with the values of its variables.
pub(super) struct Prepared {
    is_query: bool,
    document: ExecutableDocument,
    variables: Variables,
}

impl Prepared {
    /// Reads a request and checks it, up to the engine's own limits.
    pub(super) fn new(
        request: GraphqlRequest,
        method: Method,
        documents: &Documents,
    ) -> Result<Self, Refused> {
        let document = documents.read(&request.query)?;
        let operation = document::operation(&document, request.operation_name.as_deref())?;
        document::check_method(&operation.node, method)?;
        root::check_number(&document, &operation.node)?;
        let validator = documents.validator();
        let variables = variables::coerce(&operation.node, request.variables, validator)?;
        variables::check_conditions(&document, &operation.node, &variables)?;
        Ok(Self {
            is_query: operation.node.ty == OperationType::Query,
            document: alone(&document, operation, &variables)?,
            variables,
        })
    }

    /// Does it only read?
    pub(super) const fn is_query(&self) -> bool {
        self.is_query
    }

    /// The request to the engine. It has no text, since it is parsed.
    pub(super) fn into_request(self) -> Request {
        let mut request = Request::new("").variables(self.variables);
        request.set_parsed_query(self.document);
        request
    }
}

/// The operation in a document of its own, with its root fields collected. That may leave fragments and
/// variables unused.
fn alone(
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
    variables: &Variables,
) -> Result<ExecutableDocument, ServerError> {
    let operation = if root::is_collected(&operation.node) {
        operation.clone()
    } else {
        root::collect(document, operation, variables)?
    };
    Ok(ExecutableDocument {
        operations: DocumentOperations::Single(operation),
        fragments: document.fragments.clone(),
    })
}
