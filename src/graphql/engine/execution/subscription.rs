//! The subscriptions of one socket.
//!
//! The message that begins one is read and judged here, in the way that a request is, and what was
//! judged is what runs: the handler of the protocol gets the id alone, and asks for the next one
//! that was judged.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_graphql::parser::types::Selection;
use async_graphql::{Data, Error, Executor, PathSegment, Request, Response, ServerError};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{Engine, clean};
use crate::domain::fault::InputFault;
use crate::domain::principal::{Origin, Principal};
use crate::graphql::context::RequestContext;
use crate::graphql::engine::budget::{Reservation, SharedBudget};
use crate::graphql::engine::operation::Ready;
use crate::graphql::engine::request::{GraphqlRequest, Method, Refusal};
use crate::graphql::error::GqlError;
use crate::graphql::schema::{Followed, Source};
use crate::service::{Admitted, Ending, FollowedEvent, Following, LiveCaller, NotCurrent};

/// The subscriptions of one socket, whose caller is known before the first of them.
#[derive(Clone)]
pub struct Subscriptions(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    origin: Origin,
    caller: OnceLock<Arc<LiveCaller>>,
    /// Those that were judged, and that the handler has not asked for yet.
    opened: Mutex<VecDeque<Opened>>,
    /// One answer at a time is made and under way.
    turn: Arc<Semaphore>,
    under_way: Mutex<Option<Delivery>>,
}

/// A subscription that was judged.
struct Opened {
    operation: Ready,
    following: Following,
}

/// What an answer occupies until the client has taken it.
pub struct Delivery {
    _turn: OwnedSemaphorePermit,
    _room: Option<Reservation>,
}

impl Subscriptions {
    /// None yet.
    pub fn new(engine: Arc<Engine>, origin: Origin) -> Self {
        Self(Arc::new(Shared {
            engine,
            origin,
            caller: OnceLock::new(),
            opened: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
            under_way: Mutex::default(),
        }))
    }

    /// Whose they are.
    pub fn belong_to(&self, caller: Arc<LiveCaller>) {
        let _once = self.0.caller.set(caller);
    }

    /// Judges the next subscription, which the handler may then ask for. It follows all that
    /// happens from now on.
    ///
    /// # Errors
    /// The GraphQL errors for the client.
    pub async fn open(&self, request: GraphqlRequest) -> Result<(), serde_json::Value> {
        let opened = self.0.open(request).await.map_err(|errors| {
            let mut response = Response::from_errors(errors);
            clean(&mut response);
            serde_json::json!(response.errors)
        })?;
        self.0.opened.lock().unwrap_or_else(PoisonError::into_inner).push_back(opened);
        Ok(())
    }

    /// The answer that the handler has just given: it is under way until this is dropped.
    pub fn taken(&self) -> Option<Delivery> {
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Executor for Subscriptions {
    /// The handler asks for streams only.
    async fn execute(&self, _: Request) -> Response {
        Response::default()
    }

    fn execute_stream(&self, _: Request, _: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let opened = self.0.opened.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let state = opened.map(|opened| (Arc::clone(&self.0), opened));
        stream::unfold(state, |state| async {
            let (shared, mut opened) = state?;
            let response = shared.next(&mut opened).await?;
            // The root field was refused: nothing of it will be shown.
            let is_refused = response.data == async_graphql::Value::Null;
            Some((response, (!is_refused).then_some((shared, opened))))
        })
        .boxed()
    }
}

impl Shared {
    fn context(&self, caller: Arc<Admitted>) -> RequestContext {
        RequestContext { caller: Some(caller), origin: self.origin.clone(), notes: Arc::default() }
    }

    async fn open(&self, request: GraphqlRequest) -> Result<Opened, Vec<ServerError>> {
        let live = self.caller.get().ok_or_else(|| coded(GqlError::Unauthenticated))?;
        let current = timeout(self.engine.limit, self.engine.service.current(live)).await;
        let caller = current.map_err(|_| late())?.map_err(|error| coded(error.into()))?;
        let prepared = request.prepare(Method::Message, &self.engine.documents);
        let operation = prepared.map_err(|refusal| self.engine.errors(refusal))?.operation;
        let Followed { wanted, after } =
            self.engine.followed(operation.clone(), self.context(Arc::clone(&caller))).await?;
        let service = &self.engine.service;
        let following = service.follow_audit_events(caller.principal(), wanted, after);
        let following = timeout(self.engine.limit, following).await;
        let following = following.map_err(|_| late())?.map_err(|error| coded(error.into()))?;
        Ok(Opened { operation, following })
    }

    /// The answer to the next event. `None`: the server ends. It never comes where the caller must
    /// go.
    async fn next(&self, opened: &mut Opened) -> Option<Response> {
        let live = self.caller.get()?;
        let event = match opened.following.next().await {
            Ok(event) => event?,
            Err(error) => {
                tracing::warn!(%error, "events that are followed could not be read");
                live.end(Ending::Unavailable);
                return gone().await;
            }
        };
        let turn = Arc::clone(&self.turn).acquire_owned().await.ok()?;
        let service = &self.engine.service;
        let caller = match timeout(self.engine.limit, service.current(live)).await {
            Ok(Ok(caller)) => caller,
            Ok(Err(NotCurrent::Refused(_))) => return gone().await,
            Ok(Err(error)) => {
                tracing::warn!(%error, "it is not known whether the caller may still read");
                live.end(Ending::Unavailable);
                return gone().await;
            }
            Err(_too_late) => {
                live.end(Ending::Unavailable);
                return gone().await;
            }
        };
        // Boxed, as most of the time none is run.
        let shown = self.engine.show(opened.operation.clone(), self.context(caller), event);
        let (response, room) = match Box::pin(shown).await {
            Ok((response, budget)) => (response, budget.take_reservation()),
            Err(Refusal::CallerRefused(refusal)) => {
                live.end(Ending::Refused(refusal));
                return gone().await;
            }
            Err(Refusal::Unavailable) => {
                live.end(Ending::Unavailable);
                return gone().await;
            }
            Err(refusal) => (Response::from_errors(self.engine.errors(refusal)), None),
        };
        let delivery = Delivery { _turn: turn, _room: room };
        *self.under_way.lock().unwrap_or_else(PoisonError::into_inner) = Some(delivery);
        Some(response)
    }
}

impl Engine {
    /// What a subscription asks for.
    async fn followed(
        &self,
        operation: Ready,
        context: RequestContext,
    ) -> Result<Followed, Vec<ServerError>> {
        let source = Arc::new(Source::Opening(OnceLock::new()));
        let field = operation.definition.node.selection_set.node.items.first().cloned();
        let ran = self.with_source(operation, context, &source).await;
        let (response, _) = ran.map_err(|refusal| self.errors(refusal))?;
        let Source::Opening(asked) = &*source else { return Err(response.errors) };
        match asked.get() {
            Some(Ok(followed)) if response.errors.is_empty() => Ok(followed.clone()),
            Some(Err(faults)) => {
                let placed = |fault: &InputFault| {
                    let error = Error::from(GqlError::Fault(fault.clone()));
                    let Some(field) = &field else {
                        return error.into_server_error(Default::default());
                    };
                    let error = error.into_server_error(field.pos);
                    let Selection::Field(field) = &field.node else { return error };
                    let name = field.node.response_key().node.to_string();
                    error.with_path(vec![PathSegment::Field(name)])
                };
                Err(faults.iter().map(placed).collect())
            }
            _ => Err(response.errors),
        }
    }

    /// The answer to one event.
    async fn show(
        &self,
        operation: Ready,
        context: RequestContext,
        event: FollowedEvent,
    ) -> Result<(Response, SharedBudget), Refusal> {
        let source = Arc::new(Source::Event(event));
        let (mut response, budget) = self.with_source(operation, context, &source).await?;
        clean(&mut response);
        Ok((response, budget))
    }

    async fn with_source(
        &self,
        operation: Ready,
        context: RequestContext,
        source: &Arc<Source>,
    ) -> Result<(Response, SharedBudget), Refusal> {
        let principal = context.caller.as_deref().map(Admitted::principal);
        let token = principal.and_then(Principal::api_token);
        let share = self.room.share(token.map(|token| token.id));
        let answered = self.query(operation, context, share, Some(source));
        timeout(self.limit, answered).await.map_err(|_| Refusal::Unavailable)?
    }

    /// The errors of a refusal, for the client.
    fn errors(&self, refusal: Refusal) -> Vec<ServerError> {
        match refusal {
            Refusal::Errors(errors) => self.shown(errors),
            Refusal::CallerRefused(_) | Refusal::MutationByGet => coded(GqlError::Unauthenticated),
            Refusal::Unavailable => late(),
        }
    }
}

/// Never ready: the socket is closed meanwhile.
async fn gone<T>() -> T {
    std::future::pending().await
}

/// An error that belongs to no field. Its cause is logged here.
fn coded(error: GqlError) -> Vec<ServerError> {
    if let GqlError::Unavailable(cause) | GqlError::Internal(cause) = &error {
        tracing::warn!(%cause, "a subscription could not begin");
    }
    let error = Error::from(error).into_server_error(Default::default());
    vec![ServerError { locations: Vec::new(), ..error }]
}

fn late() -> Vec<ServerError> {
    coded(GqlError::Unavailable("there was no answer in time".into()))
}
