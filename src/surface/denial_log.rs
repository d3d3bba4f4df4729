//! The line in the log about a gateway's request that does not pass.

use tracing::field::display;

use super::RefusalSums;
use crate::domain::verification::{Demand, Denial};

/// Logs why a request does not pass: the first of a kind from an address for operators, the next
/// ones below. What a gateway asks wrongly is its operator's to correct.
pub fn log_denial(denial: &Denial, demand: &Demand, sums: &RefusalSums) {
    let reason = denial.to_string();
    let is_first = sums.is_first(demand.client(), &reason);
    match denial {
        Denial::Demand { fault, .. } => {
            let permission = fault.permission().map(display);
            if is_first {
                tracing::warn!(reason, permission, "a gateway asks what cannot be answered");
            } else {
                tracing::debug!(reason, permission, "a gateway asks what cannot be answered");
            }
        }
        Denial::Token(_) | Denial::PermissionMissing { .. } => {
            let token = denial.token_id().map(display);
            if is_first {
                tracing::info!(reason, token, "authorization refused");
            } else {
                tracing::debug!(reason, token, "authorization refused");
            }
        }
    }
}
