//! A request, and the way from it to an operation that is ready to run.

use super::document::{Documents, Transport};
use super::operation::Ready;
use super::request_error::RequestError;
use crate::domain::verdict::TokenRefusal;
use crate::graphql::schema;

/// The parameters of a request.
#[derive(Clone)]
pub struct GraphqlRequest {
    /// The text of the document.
    pub query: String,
    /// Which operation of the document runs; needed if it has several.
    pub operation_name: Option<String>,
    /// A JSON object.
    pub variables: serde_json::Map<String, serde_json::Value>,
}

/// How the request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Queries only.
    Get,
    /// Queries and mutations.
    Post,
    /// By a message on a socket: subscriptions only.
    Message,
}

/// Why a request has no answer.
pub(super) enum Refusal {
    /// The document or the variables have faults.
    Errors(Vec<RequestError>),
    /// A mutation was sent by GET.
    MutationByGet,
    /// A query took too long and was abandoned, or it is not known whether its answer may be given
    /// out.
    Unavailable,
    /// The token may no longer be used; what was read is not given out.
    CallerRefused(TokenRefusal),
}

impl From<Vec<RequestError>> for Refusal {
    fn from(errors: Vec<RequestError>) -> Self {
        Self::Errors(errors)
    }
}

/// An operation that passed every check except the engine's own.
pub(super) struct Prepared {
    pub(super) is_mutation: bool,
    pub(super) operation: Ready,
}

impl Prepared {
    /// Is it a mutation that changes nothing, but only verifies tokens?
    pub(super) fn only_verifies(&self) -> bool {
        self.is_mutation && self.operation.selects_only(&schema::READING)
    }
}

impl GraphqlRequest {
    /// Reads and judges the request, for every transport.
    pub(super) fn prepare(
        self,
        method: Method,
        documents: &Documents,
    ) -> Result<Prepared, Refusal> {
        let transport = match method {
            Method::Get | Method::Post => Transport::Requests,
            Method::Message => Transport::Socket,
        };
        let document = documents.read(&self.query, transport)?;
        let operation = document
            .operation(self.operation_name.as_deref())
            .map_err(|error| Refusal::Errors(vec![error]))?;
        if method == Method::Message && !operation.is_subscription() {
            return Err(Refusal::Errors(vec![RequestError::NotSubscription]));
        }
        let is_mutation = operation.is_mutation();
        if is_mutation && method == Method::Get {
            return Err(Refusal::MutationByGet);
        }
        let operation = operation.ready(self.variables, documents.schema())?;
        Ok(Prepared { is_mutation, operation })
    }
}
