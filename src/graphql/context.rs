//! What resolvers get from a request.

use std::sync::Arc;

use async_graphql::Context;
use tokio::sync::{Mutex, MutexGuard};

use super::engine::budget::{Held, SharedBudget};
use super::error::GqlError;
use crate::domain::principal::{Origin, Principal};
use crate::service::{Admitted, Service};

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// `None`: the request carries no credentials.
    pub caller: Option<Arc<Admitted>>,
    /// From where the request came.
    pub origin: Origin,
}

/// The caller.
pub(super) fn principal<'a>(ctx: &Context<'a>) -> Result<&'a Principal, GqlError> {
    caller(ctx).map(|caller| caller.principal())
}

fn caller<'a>(ctx: &Context<'a>) -> Result<&'a Admitted, GqlError> {
    let request = ctx.data_opt::<RequestContext>();
    request.and_then(|request| request.caller.as_deref()).ok_or(GqlError::Unauthenticated)
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

/// Draws a row that was read from the budget of the request.
pub(super) fn held<T: Held>(ctx: &Context<'_>, row: T) -> Result<T, GqlError> {
    let budget = ctx.data_opt::<SharedBudget>();
    let budget = budget.ok_or_else(|| GqlError::internal("the request has no budget"))?;
    budget.hold(&row).map_err(|_overdrawn| GqlError::AnswerTooLarge)?;
    Ok(row)
}

/// To be asked by a mutation that changes nothing: is it run like a query, whose answer may grow,
/// and be given up? Beside a change it is not.
pub(super) fn can_be_given_up(ctx: &Context<'_>) -> Result<(), GqlError> {
    match ctx.data_opt::<SharedBudget>() {
        Some(budget) if budget.may_grow() => Ok(()),
        _ => Err(GqlError::VerificationMixed),
    }
}

/// Held while a list of the request is read. The engine resolves the fields of a query side by
/// side: one request with many lists would take all connections for searches.
#[derive(Debug, Default)]
pub(super) struct ListTurn(Mutex<()>);

/// Waits until no other list of this request is being read. A caller that was revoked meanwhile
/// begins no further list.
pub(super) async fn list_turn<'a>(ctx: &Context<'a>) -> Result<MutexGuard<'a, ()>, GqlError> {
    let turn = ctx.data_opt::<ListTurn>();
    let turn = turn.ok_or_else(|| GqlError::internal("the request has no turn for lists"))?;
    let turn = turn.0.lock().await;
    service(ctx)?.ensure_current(caller(ctx)?).await?;
    Ok(turn)
}
