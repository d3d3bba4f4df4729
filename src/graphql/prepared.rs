//! A request that the engine may be asked to run.

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Positioned, Request, Variables};

use super::document::{self, Refused};
use super::engine::{GraphqlRequest, Method};
use super::{root, variables};

/// A document within the limits, which may still be invalid, with all that its operation needs.
#[derive(Clone)]
pub(super) struct Prepared {
    document: ExecutableDocument,
    operation_name: Option<String>,
    variables: Variables,
}

impl Prepared {
    /// Parses a request and checks it, up to what only the schema knows.
    pub(super) fn new(request: GraphqlRequest, method: Method) -> Result<Self, Refused> {
        let document = document::parse(&request.query)?;
        let mut variables = Variables::from_json(serde_json::Value::Object(request.variables));
        let operation = &document::operation(&document, request.operation_name.as_deref())?.node;
        document::check_type(operation, method == Method::Get)?;
        root::check_number(&document, operation)?;
        variables::check(operation, &variables)?;
        variables::complete(operation, &mut variables);
        Ok(Self { document, operation_name: request.operation_name, variables })
    }

    /// Does it only read?
    pub(super) fn is_query(&self) -> bool {
        self.operation().is_ok_and(|operation| operation.node.ty == OperationType::Query)
    }

    /// May it run as it is?
    pub(super) fn is_collected(&self) -> bool {
        self.operation().is_ok_and(|operation| root::is_collected(&operation.node))
    }

    /// The same with its root fields collected. To be called when the document is valid.
    pub(super) fn collected(self) -> Result<Self, Refused> {
        let document = root::collect(&self.document, self.operation()?, &self.variables)?;
        Ok(Self { document, operation_name: None, variables: self.variables })
    }

    /// The request to the engine. It has no text, since it is parsed.
    pub(super) fn into_request(self) -> Request {
        let mut request = Request::new("").variables(self.variables);
        request.set_parsed_query(self.document);
        request.operation_name = self.operation_name;
        request
    }

    fn operation(&self) -> Result<&Positioned<OperationDefinition>, Refused> {
        document::operation(&self.document, self.operation_name.as_deref())
    }
}
