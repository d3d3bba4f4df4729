//! What a request brings to its resolvers.

use std::sync::Arc;

use async_graphql::Context;

use super::error::GqlError;
use crate::domain::principal::{Origin, Principal};
use crate::service::Service;

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// `None`: the request carries no credentials.
    pub principal: Option<Principal>,
    pub origin: Origin,
}

/// The caller.
pub(super) fn principal<'a>(ctx: &Context<'a>) -> Result<&'a Principal, GqlError> {
    let request = ctx.data_opt::<RequestContext>();
    request.and_then(|request| request.principal.as_ref()).ok_or(GqlError::Unauthenticated)
}

/// Where the request came from.
pub(super) fn origin<'a>(ctx: &Context<'a>) -> Result<&'a Origin, GqlError> {
    let request = ctx.data_opt::<RequestContext>();
    request.map(|request| &request.origin).ok_or(GqlError::Unauthenticated)
}

/// The use cases.
pub(super) fn service<'a>(ctx: &Context<'a>) -> Result<&'a Arc<Service>, GqlError> {
    ctx.data_opt().ok_or_else(|| GqlError::internal("the request has no service"))
}
