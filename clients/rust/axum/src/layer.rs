use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::{Refused, TokenwrightState};

/// Lets only tokens with all of some permissions pass: see
/// [`TokenwrightState::require`](crate::TokenwrightState::require).
#[derive(Debug, Clone)]
pub struct RequireLayer {
    tokenwright: TokenwrightState,
    permissions: Arc<[String]>,
}

impl RequireLayer {
    pub(crate) const fn new(tokenwright: TokenwrightState, permissions: Arc<[String]>) -> Self {
        Self { tokenwright, permissions }
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = RequireService<S>;

    fn layer(&self, inner: S) -> RequireService<S> {
        RequireService { inner, layer: self.clone() }
    }
}

/// The service that [`RequireLayer`] makes.
#[derive(Debug, Clone)]
pub struct RequireService<S> {
    inner: S,
    layer: RequireLayer,
}

impl<S> Service<Request> for RequireService<S>
where
    S: Service<Request, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that was found ready is used, and a clone of it waits for the next call.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let RequireLayer { tokenwright, permissions } = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let allowed = match tokenwright.caller(&mut parts).await {
                Ok(caller) => caller.require(&*permissions),
                Err(refusal) => Err(Refused(refusal)),
            };
            match allowed {
                Ok(()) => {
                    inner.call(Request::from_parts(parts, body)).await.map(|r| r.into_response())
                }
                Err(refused) => Ok(refused.into_response()),
            }
        })
    }
}
