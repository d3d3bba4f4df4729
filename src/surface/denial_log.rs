//! The line in the log about a secret that was shown to a gateway or a service, and may not be used.

use std::net::IpAddr;

use tracing::Span;
use tracing::field::display;

use super::RefusalSums;
use crate::domain::verification::Denial;

/// Logs why a request does not pass: the first of a kind from an address for operators, the next
/// ones below. What a gateway asks wrongly is its operator's to correct. `span` gives the span of
/// the request to the lines for operators, and is not asked for others.
pub fn log_denial(
    denial: &Denial,
    client: Option<IpAddr>,
    sums: &RefusalSums,
    span: impl FnOnce() -> Span,
) {
    let reason = denial.to_string();
    let is_first = sums.is_first(client, &reason);
    let span = if is_first { span() } else { Span::current() };
    let _entered = span.enter();
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
