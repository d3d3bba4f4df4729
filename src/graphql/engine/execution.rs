//! Running one GraphQL request.

mod boundary;
mod refused;
mod started;
mod subscription;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument};
use async_graphql::{Error, Request, Response, ServerError, ValidationMode, Value};
use futures_util::StreamExt;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{Instrument, Span};

use self::boundary::BoundaryFactory;
use self::started::Started;
pub use self::subscription::{Delivery, Subscriptions};
use super::answer::Answer;
use super::budget::{Budget, Overdrawn, Room, Share, SharedBudget};
use super::document::Documents;
use super::introspection::Introspection;
use super::limits::{
    LARGE_ANSWER, MAX_ALIASES, MAX_COMPLEXITY, MAX_DEPTH, MAX_FIELD_DIRECTIVES, MAX_FIELD_ERRORS,
    MAX_REQUEST_ERRORS,
};
use super::operation::{Ready, Selected};
use super::request::{GraphqlRequest, Method, Prepared, Refusal};
use super::request_error::{RequestError, SchemaDetail};
use crate::domain::address::MAX_ADDRESSES;
use crate::domain::catalogue::Catalogue;
use crate::domain::principal::Principal;
use crate::domain::secret::masked;
use crate::domain::verdict::TokenRefusal;
use crate::graphql::context::{ListTurn, RequestContext};
use crate::graphql::error::{ErrorCode, GqlError, code_of};
use crate::graphql::schema::loaders::Loaders;
use crate::graphql::schema::{self, AppSchema, Source};
use crate::service::{Admitted, NotCurrent, Service};

/// The schema over the use cases.
pub struct Engine {
    schema: AppSchema,
    documents: Documents,
    service: Arc<Service>,
    limit: Duration,
    introspection: Introspection,
    room: Room,
}

/// The outcome of a request.
pub enum Outcome {
    /// Nothing ran, or the answer would have been too large.
    Refused {
        /// The JSON of the answer.
        body: Answer,
    },
    /// Nothing ran: a mutation must not be sent by GET.
    MutationByGet,
    /// A query took too long, there was no room for the answer in time, or it is not known whether
    /// the answer may be given out.
    Unavailable,
    /// The token may no longer be used: what was read is not given out.
    CallerRefused(TokenRefusal),
    /// The operation ran; there may be errors beside the data.
    Executed {
        /// The JSON of the answer.
        body: Answer,
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
            room: Room::default(),
        }
    }

    /// Parses, validates and runs a request. `span` gives the span in which it runs; one that only
    /// verifies tokens runs in the current one.
    pub async fn execute(
        &self,
        request: GraphqlRequest,
        method: Method,
        context: RequestContext,
        span: impl FnOnce() -> Span,
    ) -> Outcome {
        let answered = match request.prepare(method, &self.documents) {
            Ok(prepared) if prepared.only_verifies() => {
                context.notes.verifies();
                self.run(prepared, context).await
            }
            Ok(prepared) => self.run(prepared, context).instrument(span()).await,
            Err(refusal) => Err(refusal),
        };
        match answered {
            Ok((response, budget)) => executed(response, &budget).await,
            Err(Refusal::Errors(errors)) => self.refused(errors),
            Err(Refusal::MutationByGet) => Outcome::MutationByGet,
            Err(Refusal::Unavailable) => Outcome::Unavailable,
            Err(Refusal::CallerRefused(refusal)) => Outcome::CallerRefused(refusal),
        }
    }

    async fn run(
        &self,
        prepared: Prepared,
        context: RequestContext,
    ) -> Result<(Response, SharedBudget), Refusal> {
        let only_verifies = prepared.only_verifies();
        let Prepared { is_mutation, operation } = prepared;
        let principal = context.caller.as_deref().map(Admitted::principal);
        let token = principal.and_then(Principal::api_token);
        let share = self.room.share(token.map(|token| token.id));
        if !is_mutation || only_verifies {
            let answered = timeout(self.limit, self.query(operation, context, share, None)).await;
            return answered.map_err(|_| Refusal::Unavailable)?;
        }
        // A mutation is never abandoned: its answer may hold a secret that is shown only once, and
        // each of its steps has a limit of its own. So there must be room for the costliest answer
        // before it begins.
        let reserved = timeout(self.limit, share.reserve_exactly(costliest(operation.selected)));
        let reserved = reserved.await.map_err(|_| Refusal::Unavailable)?;
        let budget = Arc::new(Budget::paid(share, reserved));
        let response = self.once(operation, context, &budget, None).await?;
        Ok((response, budget))
    }

    /// Runs a query. Where its answer outgrows what is reserved and there is no more room, it is
    /// given up and run again when there is.
    async fn query(
        &self,
        operation: Ready,
        context: RequestContext,
        share: Share,
        source: Option<&Arc<Source>>,
    ) -> Result<(Response, SharedBudget), Refusal> {
        let mut memory = 0;
        loop {
            let reserved = share.reserve(memory).await;
            let budget = Arc::new(Budget::growing(share.clone(), reserved));
            let (operation, context) = (operation.clone(), context.clone());
            let running = self.current_to_the_end(operation, context, &budget, source);
            tokio::select! {
                biased;
                response = running => return Ok((response?, Arc::clone(&budget))),
                overdrawn = budget.overdrawn() => match overdrawn {
                    Overdrawn::Limit => {
                        return Err(Refusal::Errors(vec![RequestError::AnswerTooLarge]));
                    }
                    Overdrawn::Room(needed) => memory = needed,
                }
            }
        }
    }

    /// Runs an operation to its end.
    async fn once(
        &self,
        operation: Ready,
        context: RequestContext,
        budget: &SharedBudget,
        source: Option<&Arc<Source>>,
    ) -> Result<Response, Refusal> {
        let started = Arc::new(Started::default());
        let principal = context.caller.as_deref().map(|caller| caller.principal().clone());
        let mut request = to_request(operation)
            .data(Arc::clone(&started))
            .data(Arc::clone(budget))
            .data(Arc::clone(&self.service))
            .data(ListTurn::default())
            .data(Loaders::new(Arc::clone(&self.service), principal))
            .data(context);
        let response = match source {
            None => self.schema.execute(request).await,
            Some(source) => {
                request = request.data(Arc::clone(source));
                // One event, or none, gives one answer, or none.
                self.schema.execute_stream(request).next().await.unwrap_or_default()
            }
        };
        // The root field of a subscription is refused before anything is executed.
        let is_refusal = |error| code_of(error).is_some();
        if started.get() || source.is_some() && response.errors.iter().all(is_refusal) {
            return Ok(response);
        }
        let errors = response.errors.into_iter().take(MAX_REQUEST_ERRORS);
        let errors = errors.map(|ServerError { message, locations, .. }| {
            RequestError::EngineLimit { message, places: locations }
        });
        Err(Refusal::Errors(errors.collect()))
    }

    /// The answer to a query, unless the caller was revoked before the end of it. So whatever a
    /// resolver waits for, nothing is given out that was read after a revocation. (A change asks in
    /// its transaction, and its answer must not be lost.)
    async fn current_to_the_end(
        &self,
        operation: Ready,
        context: RequestContext,
        budget: &SharedBudget,
        source: Option<&Arc<Source>>,
    ) -> Result<Response, Refusal> {
        let caller = context.caller.clone();
        let response = self.once(operation, context, budget, source).await?;
        let Some(caller) = caller else { return Ok(response) };
        match self.service.ensure_current(&caller).await {
            Ok(()) => Ok(response),
            Err(NotCurrent::Changed(_)) => Ok(caller_changed()),
            Err(NotCurrent::Refused(refusal)) => Err(Refusal::CallerRefused(refusal)),
            Err(NotCurrent::Unavailable(error)) => {
                tracing::warn!(%error, "it is not known whether the caller may still read");
                Err(Refusal::Unavailable)
            }
        }
    }

    fn refused(&self, errors: Vec<RequestError>) -> Outcome {
        let errors = self.shown(errors);
        Outcome::Refused { body: Answer::write(&serde_json::json!({ "errors": errors }), None) }
    }

    /// The errors as the client may see them.
    fn shown(&self, errors: Vec<RequestError>) -> Vec<ServerError> {
        let detail = match self.introspection {
            Introspection::Off => SchemaDetail::Hidden,
            Introspection::Public | Introspection::Authenticated => SchemaDetail::Shown,
        };
        errors.into_iter().map(|error| error.into_server_error(detail)).collect()
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

/// The answer to a query whose caller may no longer do all that it could at the start.
fn caller_changed() -> Response {
    let error = Error::from(GqlError::CallerChanged).into_server_error(Default::default());
    Response::from_errors(vec![ServerError { locations: Vec::new(), ..error }])
}

/// Bytes of memory of a value in the answer to a mutation, at most: a name.
const FIELD: usize = 1024;
/// Bytes of memory of a list in the answer to a mutation, at most: [`MAX_ADDRESSES`] addresses.
const LIST: usize = MAX_ADDRESSES * 256;

/// The memory that the answer to a mutation takes at most.
const fn costliest(selected: Selected) -> usize {
    selected.values.saturating_mul(FIELD).saturating_add(selected.lists * LIST)
}

async fn executed(mut response: Response, budget: &SharedBudget) -> Outcome {
    let refusal = Some(ErrorCode::Unauthenticated.as_str());
    let unauthenticated = response.errors.iter().any(|error| code_of(error) == refusal);
    clean(&mut response);
    let room = budget.take_reservation();
    if budget.bytes() < LARGE_ANSWER {
        return Outcome::Executed { body: Answer::write(&response, room), unauthenticated };
    }
    // The tree is freed there as well.
    let written = spawn_blocking(move || Answer::write(&response, room)).await;
    written.map_or(Outcome::Unavailable, |body| Outcome::Executed { body, unauthenticated })
}

/// Only so many errors, and no secrets in them.
fn clean(response: &mut Response) {
    response.errors.truncate(MAX_FIELD_ERRORS);
    response.errors.iter_mut().for_each(mask);
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
