//! Envoy's `ext_authz` (`envoy.service.auth.v3.Authorization`): one question for each request of a
//! client. The use case decides as it does for `/authorize`; only the way of asking and answering
//! differs. No answer, or one that cannot be given, is a refusal for Envoy.

mod answer;
mod question;

use std::sync::Arc;
use std::time::Instant;

use envoy_types::ext_authz::v3::pb::{Authorization, CheckRequest, CheckResponse};
use tokio::time::timeout;
use tonic::{Request, Response, Status};
use tracing::Instrument;
use tracing::field::{Empty, display};

use self::question::Question;
use super::socket::Peer;
use super::state::GrpcState;
use crate::domain::id::request_id;
use crate::domain::verification::{Decision, Demand, Denial};
use crate::metrics::{Endpoint, StatusClass, Surface};
use crate::surface::{GatewayRefusal, log_denial, presented};

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
            Ok(Decision::Allowed(token)) => {
                Ok(answer::allowed(state.service.identity(&token).values(), id))
            }
            Ok(Decision::Denied(denial)) => Err(self.denied(&denial, &demand)),
            Err(error) => {
                tracing::warn!(%error, "authentication was not possible");
                Err(GatewayRefusal::Unavailable)
            }
        }
    }

    fn count(&self, refusal: &GatewayRefusal) {
        refusal.count(Surface::ExtAuthz, self.state.service.metrics());
    }

    /// Logs why a request does not pass.
    fn denied(&self, denial: &Denial, demand: &Demand) -> GatewayRefusal {
        log_denial(denial, demand, &self.state.refusals);
        GatewayRefusal::of(denial, demand, self.state.service.catalogue())
    }
}

#[tonic::async_trait]
impl Authorization for ExtAuthz {
    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let (state, start) = (&self.state, Instant::now());
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
        let asked = request.into_inner();
        let question = Question::new(&asked, peer, state);
        let own = || request_id(state.clock.now(), state.random.as_ref()).unwrap_or_default();
        let id = question.request_id().map_or_else(own, ToOwned::to_owned);
        let client = question.client().map(display);
        let span = tracing::info_span!("ext_authz", request_id = %id, client, token = Empty);
        let answer = timeout(state.request_timeout, self.decide(&question, &id));
        let answer = answer.instrument(span).await.unwrap_or_else(|_| {
            self.count(&GatewayRefusal::Unavailable);
            Err(GatewayRefusal::Unavailable)
        });
        let status = answer.as_ref().map_or_else(GatewayRefusal::status, |_| 200);
        let endpoint = (Endpoint::ExtAuthz, StatusClass::of(status));
        state.service.metrics().requests.add(endpoint, start.elapsed());
        Ok(Response::new(answer.unwrap_or_else(|refusal| answer::refused(&refusal, &id))))
    }
}
