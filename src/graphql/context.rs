//! What resolvers get from a request.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Lock, PoisonError};

use async_graphql::Context;
use tokio::sync::{Mutex, MutexGuard};

use super::engine::budget::{Held, SharedBudget};
use super::error::GqlError;
use crate::domain::policy::Policy;
use crate::domain::principal::{Origin, Principal};
use crate::domain::verification::{Decision, Denial};
use crate::service::{Admitted, Service};

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// `None`: the request carries no credentials.
    pub caller: Option<Arc<Admitted>>,
    /// From where the request came.
    pub origin: Origin,
    /// What became of it, for the log of the surface.
    pub notes: Arc<Notes>,
}

/// What became of a request, for the log.
#[derive(Debug, Default)]
pub struct Notes {
    only_verifies: AtomicBool,
    refused: Lock<Option<String>>,
    denials: Lock<Vec<(Option<IpAddr>, Denial)>>,
}

impl Notes {
    /// Did it only verify tokens?
    pub fn only_verifies(&self) -> bool {
        self.only_verifies.load(Ordering::Relaxed)
    }

    /// The root fields that were refused, each with code and reason.
    pub fn take_refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The secrets that may not be used, with the addresses of the clients that showed them.
    pub fn take_denials(&self) -> Vec<(Option<IpAddr>, Denial)> {
        std::mem::take(&mut *self.denials.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn verifies(&self) {
        self.only_verifies.store(true, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, fields: String) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(fields);
    }

    fn denied(&self, client: Option<IpAddr>, denial: &Denial) {
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        denials.push((client, denial.clone()));
    }
}

/// Notes a decision on a secret that a client at this address showed.
pub(super) fn note_decision(ctx: &Context<'_>, client: Option<IpAddr>, decision: &Decision) {
    if let (Decision::Denied(denial), Some(request)) = (decision, ctx.data_opt::<RequestContext>())
    {
        request.notes.denied(client, denial);
    }
}

/// The caller.
pub(super) fn principal<'a>(ctx: &Context<'a>) -> Result<&'a Principal, GqlError> {
    caller(ctx).map(|caller| caller.principal())
}

/// The policy that the caller was judged by, in this very request: by it, tokens are shown and listed.
pub(super) fn policy<'a>(ctx: &Context<'a>) -> Result<&'a Policy, GqlError> {
    caller(ctx).map(|caller| caller.policy())
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
