//! Running one GraphQL request.

mod boundary;
mod started;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument};
use async_graphql::{Request, Response, ServerError, ValidationMode, Value};
use tokio::time::timeout;

use self::boundary::BoundaryFactory;
use self::started::Started;
use super::document::Documents;
use super::introspection::Introspection;
use super::limits::{
    MAX_ALIASES, MAX_COMPLEXITY, MAX_DEPTH, MAX_FIELD_DIRECTIVES, MAX_FIELD_ERRORS,
    MAX_REQUEST_ERRORS,
};
use super::operation::Ready;
use super::request::{GraphqlRequest, Method, Prepared, Refusal};
use super::request_error::{RequestError, SchemaDetail};
use crate::domain::catalogue::Catalogue;
use crate::domain::secret::masked;
use crate::graphql::context::{ListTurn, RequestContext};
use crate::graphql::error::{ErrorCode, code_of};
use crate::graphql::schema::loaders::Loaders;
use crate::graphql::schema::{self, AppSchema};
use crate::service::Service;

/// The schema over the use cases.
pub struct Engine {
    schema: AppSchema,
    documents: Documents,
    service: Arc<Service>,
    limit: Duration,
    introspection: Introspection,
}

/// The outcome of a request. Bodies are JSON.
pub enum Outcome {
    /// Nothing ran.
    Refused {
        /// The JSON of the answer.
        body: Vec<u8>,
    },
    /// Nothing ran: a mutation must not be sent by GET.
    MutationByGet,
    /// A query took too long.
    TimedOut,
    /// The operation ran; there may be errors beside the data.
    Executed {
        /// The JSON of the answer.
        body: Vec<u8>,
        /// A field was refused because the request carries no token.
        unauthenticated: bool,
    },
}

impl Engine {
    /// The schema with the permissions of the service's catalogue. Queries that take longer than
    /// `limit` are abandoned.
    pub fn new(service: Arc<Service>, introspection: Introspection, limit: Duration) -> Self {
        Self {
            schema: guarded(service.catalogue(), introspection),
            documents: Documents::new(&schema::sdl(service.catalogue())),
            service,
            limit,
            introspection,
        }
    }

    /// Parses, validates and runs a request.
    pub async fn execute(
        &self,
        request: GraphqlRequest,
        method: Method,
        context: RequestContext,
    ) -> Outcome {
        let answered = match request.prepare(method, &self.documents) {
            Ok(prepared) => self.run(prepared, context).await,
            Err(refusal) => Err(refusal),
        };
        match answered {
            Ok(response) => executed(response),
            Err(Refusal::Errors(errors)) => self.refused(errors),
            Err(Refusal::MutationByGet) => Outcome::MutationByGet,
            Err(Refusal::TimedOut) => Outcome::TimedOut,
        }
    }

    async fn run(&self, prepared: Prepared, context: RequestContext) -> Result<Response, Refusal> {
        let Prepared { is_mutation, operation } = prepared;
        let started = Arc::new(Started::default());
        let request = to_request(operation)
            .data(Arc::clone(&started))
            .data(Arc::clone(&self.service))
            .data(ListTurn::default())
            .data(Loaders::new(Arc::clone(&self.service), context.principal.clone()))
            .data(context);
        let running = self.schema.execute(request);
        // A mutation is never abandoned: its answer may hold a secret that is shown only once, and
        // each of its steps has a limit of its own.
        let response = if is_mutation {
            running.await
        } else {
            timeout(self.limit, running).await.map_err(|_| Refusal::TimedOut)?
        };
        if started.get() {
            return Ok(response);
        }
        let errors = response.errors.into_iter().take(MAX_REQUEST_ERRORS);
        let errors = errors.map(|ServerError { message, locations, .. }| {
            RequestError::EngineLimit { message, places: locations }
        });
        Err(Refusal::Errors(errors.collect()))
    }

    fn refused(&self, errors: Vec<RequestError>) -> Outcome {
        let detail = match self.introspection {
            Introspection::Off => SchemaDetail::Hidden,
            Introspection::Public | Introspection::Authenticated => SchemaDetail::Shown,
        };
        let errors = errors.into_iter().map(|error| error.into_server_error(detail));
        let errors: Vec<ServerError> = errors.collect();
        Outcome::Refused { body: json(&serde_json::json!({ "errors": errors })) }
    }
}

/// The schema with the permissions of this catalogue, guarded by the engine's own limits. They are
/// a second wall: documents are already measured and valid, so the engine checks only these limits.
fn guarded(catalogue: &Arc<Catalogue>, introspection: Introspection) -> AppSchema {
    schema::builder(catalogue)
        .validation_mode(ValidationMode::Fast)
        .extension(BoundaryFactory { introspection })
        .limit_depth(MAX_DEPTH)
        .limit_complexity(MAX_COMPLEXITY)
        .limit_aliases(MAX_ALIASES)
        .limit_directives(MAX_FIELD_DIRECTIVES)
        .finish()
}

/// The request to the engine. It has no text: the operation is already parsed, and the only one in
/// its document.
fn to_request(operation: Ready) -> Request {
    let mut request = Request::new("").variables(operation.variables);
    request.set_parsed_query(ExecutableDocument {
        operations: DocumentOperations::Single(operation.definition),
        fragments: Default::default(),
    });
    request
}

fn executed(mut response: Response) -> Outcome {
    let refusal = Some(ErrorCode::Unauthenticated.as_str());
    let unauthenticated = response.errors.iter().any(|error| code_of(error) == refusal);
    response.errors.truncate(MAX_FIELD_ERRORS);
    response.errors.iter_mut().for_each(mask);
    Outcome::Executed { body: json(&response), unauthenticated }
}

/// Takes secrets out of an error: some repeat what a client sent.
fn mask(error: &mut ServerError) {
    error.message = masked(&error.message).into_owned();
    let Some(values) = error.extensions.as_mut() else { return };
    if let Some(Value::String(field)) = values.get("field") {
        let field = masked(field).into_owned();
        values.set("field", field);
    }
}

/// GraphQL values can always be written as JSON.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
