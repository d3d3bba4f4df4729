//! Removing for good what is older than an operator keeps it.

use std::time::Duration;

use tokio::time::sleep;

use super::Service;
use crate::db::DbError;
use crate::domain::clock::Instant;

/// Between two transactions, so that a server on the same file gets its turn.
const PAUSE: Duration = Duration::from_millis(10);

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Audit events.
    pub audit_events: usize,
    /// Rows of deleted tokens.
    pub api_tokens: usize,
}

impl Service {
    /// Removes the audit events dated before this instant, and the rows of tokens that were deleted
    /// before it and that no other token comes from. Users stay. What it does is done in small
    /// steps, each of which stays done.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn prune(&self, before: Instant) -> Result<Pruned, DbError> {
        let mut pruned = Pruned::default();
        self.prune_audit_events(before, |removed| pruned.audit_events += removed).await?;
        let mut below = None;
        loop {
            let step = self.repository.prune_api_tokens(before, below).await?;
            pruned.api_tokens += step.removed;
            let Some(next) = step.next else { break };
            below = Some(next);
            if step.removed > 0 {
                sleep(PAUSE).await;
            }
        }
        tracing::info!(?pruned, %before, "what is old was removed");
        Ok(pruned)
    }

    /// Removes the audit events dated before this instant, the oldest first, and reports how many
    /// each step has removed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn prune_audit_events(
        &self,
        before: Instant,
        mut report: impl FnMut(usize),
    ) -> Result<(), DbError> {
        loop {
            match self.repository.prune_audit_events(before).await? {
                0 => return Ok(()),
                removed => report(removed),
            }
            sleep(PAUSE).await;
        }
    }
}
