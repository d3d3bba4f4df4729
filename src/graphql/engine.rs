//! From the text of a request to its answer.

mod begun;
mod boundary;
mod discretion;
mod document;
mod documents;
mod introspection;
mod limits;
mod prepared;
mod root;
mod validation;
mod variables;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response, ServerError, ValidationMode, Value};
use tokio::time::timeout;

use self::begun::Begun;
use self::boundary::BoundaryFactory;
use self::discretion::keep_schema;
use self::document::{MAX_REQUEST_ERRORS, Refused};
use self::documents::Documents;
pub use self::introspection::Introspection;
use self::prepared::Prepared;
use super::context::RequestContext;
use super::error::{ErrorCode, code_of};
use super::schema::loaders::Loaders;
use super::schema::{self, AppSchema};
use crate::domain::catalogue::Catalogue;
use crate::domain::secret::masked;
use crate::service::Service;

/// Errors of one executed request that are told; the fields of the others are null without a word.
const MAX_FIELD_ERRORS: usize = 100;

/// Levels of selections; the standard introspection query has 13.
const MAX_DEPTH: usize = 15;
/// Selected fields of one document, those of a page as often as it may have rows: room for the largest
/// page of tokens with all their fields and users, and not for two of them.
const MAX_COMPLEXITY: usize = 10_000;
const MAX_ALIASES: usize = 30;
/// On one field.
const MAX_DIRECTIVES: usize = 5;

/// The schema over the use cases.
pub struct Engine {
    schema: AppSchema,
    documents: Documents,
    service: Arc<Service>,
    limit: Duration,
    introspection: Introspection,
}

/// The parameters of a request.
#[derive(Clone)]
pub struct GraphqlRequest {
    pub query: String,
    pub operation_name: Option<String>,
    /// A JSON object.
    pub variables: serde_json::Map<String, serde_json::Value>,
}

/// How the request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Queries only.
    Get,
    Post,
}

/// What became of a request. Bodies are JSON.
pub enum Outcome {
    /// Nothing ran.
    Refused { body: Vec<u8> },
    /// Nothing ran: a mutation must not be sent by GET.
    MutationByGet,
    /// A query took too long.
    TimedOut,
    /// Something ran; there may be errors beside the data.
    Executed {
        body: Vec<u8>,
        /// A field was refused because the request carries no token.
        unauthenticated: bool,
    },
}

impl Engine {
    /// The schema with the permissions of the service's catalogue. Queries that take longer than
    /// `limit` are given up.
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
        let answered = match Prepared::new(request, method, &self.documents) {
            Ok(prepared) => self.run(prepared, context).await,
            Err(refused) => Err(refused),
        };
        match answered {
            Ok(response) => executed(response),
            Err(Refused::Errors(errors)) => self.refused(errors),
            Err(Refused::MutationByGet) => Outcome::MutationByGet,
            Err(Refused::TimedOut) => Outcome::TimedOut,
        }
    }

    async fn run(&self, prepared: Prepared, context: RequestContext) -> Result<Response, Refused> {
        let is_query = prepared.is_query();
        let begun = Arc::new(Begun::default());
        let request = prepared
            .into_request()
            .data(Arc::clone(&begun))
            .data(Arc::clone(&self.service))
            .data(Loaders::new(Arc::clone(&self.service), context.principal.clone()))
            .data(context);
        let running = self.schema.execute(request);
        let response = if is_query { self.in_time(running).await? } else { running.await };
        if begun.get() {
            return Ok(response);
        }
        let errors = response.errors.into_iter().take(MAX_REQUEST_ERRORS);
        Err(Refused::Errors(errors.map(coded).collect()))
    }

    fn refused(&self, mut errors: Vec<ServerError>) -> Outcome {
        if self.introspection == Introspection::Off {
            errors.iter_mut().for_each(keep_schema);
        }
        errors.iter_mut().for_each(mask);
        Outcome::Refused { body: json(&serde_json::json!({ "errors": errors })) }
    }

    /// Gives a query up after its time. A mutation is never given up as a whole: its answer may hold a
    /// secret that is shown this once, and each of its steps has a bound of its own.
    async fn in_time(&self, running: impl Future<Output = Response>) -> Result<Response, Refused> {
        timeout(self.limit, running).await.map_err(|_| Refused::TimedOut)
    }
}

/// The schema with the permissions of this catalogue, guarded by the engine's own limits. The linear
/// pass over the text (`limits`) comes before them and does not replace them.
///
/// Documents come here valid: the engine checks no more than these limits.
fn guarded(catalogue: &Arc<Catalogue>, introspection: Introspection) -> AppSchema {
    schema::builder(catalogue)
        .validation_mode(ValidationMode::Fast)
        .extension(BoundaryFactory { introspection })
        .limit_depth(MAX_DEPTH)
        .limit_complexity(MAX_COMPLEXITY)
        .limit_aliases(MAX_ALIASES)
        .limit_directives(MAX_DIRECTIVES)
        .finish()
}

/// Gives an error of the engine's own limits the code that it comes without.
fn coded(mut error: ServerError) -> ServerError {
    document::set(&mut error, "code", ErrorCode::BadUserInput.as_str());
    document::set(&mut error, "reason", "query_limit");
    error
}

fn executed(mut response: Response) -> Outcome {
    let refusal = Some(ErrorCode::Unauthenticated.as_str());
    let unauthenticated = response.errors.iter().any(|error| code_of(error) == refusal);
    response.errors.truncate(MAX_FIELD_ERRORS);
    response.errors.iter_mut().for_each(mask);
    Outcome::Executed { body: json(&response), unauthenticated }
}

/// Takes secrets out of an error: names that a client sent are repeated in some of them.
fn mask(error: &mut ServerError) {
    error.message = masked(&error.message).into_owned();
    let field = error.extensions.as_ref().and_then(|values| values.get("field"));
    if let Some(Value::String(field)) = field {
        let field = masked(field).into_owned();
        document::set(error, "field", field);
    }
}

/// Values of GraphQL always have a JSON form.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
