//! Envoy's `ext_authz` (`envoy.service.auth.v3.Authorization`): one question for each request of a
//! client. The use case decides as it does for `/authorize`; only the way of asking and answering
//! differs. No answer, or one that cannot be given, is a refusal for Envoy.

mod answer;
mod question;

use std::sync::Arc;
use std::time::Instant;

use envoy_types::ext_authz::v3::pb::{Authorization, CheckRequest, CheckResponse};
use tokio::time::timeout;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};
use tracing::field::display;
use tracing::{Instrument, Level, Span};

use self::question::Question;
use super::socket::Peer;
use super::state::GrpcState;
use crate::domain::id::request_id;
use crate::domain::verification::{Decision, Demand};
use crate::metrics::{Endpoint, StatusClass, Surface};
use crate::surface::{GatewayRefusal, log_denial, presented};
use crate::trace::{self, Parent, Start};

/// The span of a question.
macro_rules! span {
    ($level:expr, $question:expr, $id:expr) => {{
        let client = $question.client().map(display);
        tracing::span!($level, "ext_authz", request_id = %$id, client)
    }};
}

/// Answers the questions.
pub(super) struct ExtAuthz {
    state: Arc<GrpcState>,
}

impl ExtAuthz {
    pub(super) const fn new(state: Arc<GrpcState>) -> Self {
        Self { state }
    }

    /// The answer, or the reason of a refusal.
    async fn decide(
        &self,
        question: &Question<'_>,
        id: &str,
    ) -> Result<CheckResponse, GatewayRefusal> {
        let state = &self.state;
        let presented = presented(question.authorization());
        let presented = presented.inspect_err(|refusal| self.count(refusal))?;
        let catalogue = state.service.catalogue();
        let demand = Demand::new(catalogue, question.permissions(), question.client());
        let demand = if state.needs_permission { demand.for_something() } else { demand };
        match state.service.verify(Surface::ExtAuthz, presented, &demand).await {
            Ok(Decision::Allowed(usable)) => {
                Ok(answer::allowed(state.service.identity(&usable.token).values(), id))
            }
            Ok(Decision::Denied(denial)) => {
                let span = || span_of(question, id);
                log_denial(&denial, demand.client(), &state.refusals, span);
                Err(GatewayRefusal::of(&denial, &demand, catalogue))
            }
            Err(error) => {
                span_of(question, id)
                    .in_scope(|| tracing::warn!(%error, "authentication was not possible"));
                Err(GatewayRefusal::Unavailable)
            }
        }
    }

    fn count(&self, refusal: &GatewayRefusal) {
        refusal.count(Surface::ExtAuthz, self.state.service.metrics());
    }
}

/// The trace that Envoy says its question belongs to: it continues that of the client's request.
fn parent(metadata: &MetadataMap) -> Option<Parent<'_>> {
    let text = |name| metadata.get(name)?.to_str().ok();
    Some(Parent { traceparent: text("traceparent")?, tracestate: text("tracestate") })
}

/// The span of a question for lines above `debug`, which are rare: it is begun only now.
fn span_of(question: &Question<'_>, id: &str) -> Span {
    let current = Span::current();
    let is_ours = current.metadata().is_some_and(|metadata| metadata.target() == module_path!());
    if is_ours { current } else { span!(Level::INFO, question, id) }
}

#[tonic::async_trait]
impl Authorization for ExtAuthz {
    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let (state, start) = (&self.state, Instant::now());
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
        let (metadata, _, asked) = request.into_parts();
        let question = Question::new(&asked, peer, state);
        let own = || request_id(state.clock.now(), state.id_random.as_ref()).unwrap_or_default();
        let id = question.request_id().map_or_else(own, ToOwned::to_owned);
        let span = span!(Level::DEBUG, question, id);
        let trace = trace::request(|| Start {
            method: "POST",
            route: Some("/envoy.service.auth.v3.Authorization/Check".into()),
            request_id: &id,
            parent: parent(&metadata).filter(|_| question.is_trusted()),
        });
        let answer = timeout(state.request_timeout, self.decide(&question, &id));
        let answer = answer.instrument(span).instrument(trace.clone()).await.unwrap_or_else(|_| {
            self.count(&GatewayRefusal::Unavailable);
            Err(GatewayRefusal::Unavailable)
        });
        let status = answer.as_ref().map_or_else(GatewayRefusal::status, |_| 200);
        trace::answered(&trace, status);
        let endpoint = (Endpoint::ExtAuthz, StatusClass::of(status));
        state.service.metrics().requests.add(endpoint, start.elapsed());
        let answer = answer.unwrap_or_else(|refusal| answer::refused(&refusal, &id));
        let mut answer = Response::new(answer);
        if let Some(value) = trace::traceresponse(&trace).and_then(|value| value.parse().ok()) {
            answer.metadata_mut().insert("traceresponse", value);
        }
        Ok(answer)
    }
}
