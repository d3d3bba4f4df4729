//! Removing audit events that are older than an operator keeps them.
//!
//! Instances over one database may all do it: events go from the oldest on, and what another one
//! has removed already is not there to be removed again.

use std::pin::pin;
use std::time::Duration;

use tokio::time::sleep;

use crate::db::DbError;
use crate::domain::clock::Instant;
use crate::domain::lifetime::Lifetime;
use crate::metrics::Duty;
use crate::service::Service;

/// The time between two runs.
const INTERVAL: Duration = Duration::from_secs(3600);

impl Service {
    /// Removes audit events of this age, every hour until `stop` is ready. If they are `logged`,
    /// those stay that are not in the audit log yet.
    pub async fn keep_retention(
        &self,
        retention: Lifetime,
        logged: bool,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = pin!(stop);
        loop {
            // What a run has begun is done in steps, each of which stays done.
            tokio::select! {
                () = self.remove_old_events(retention, logged) => {}
                () = &mut stop => return,
            }
            tokio::select! {
                () = sleep(INTERVAL) => {}
                () = &mut stop => return,
            }
        }
    }

    /// Removes audit events of this age once, with the same exception.
    pub async fn remove_old_events(&self, retention: Lifetime, logged: bool) {
        let before = retention.start(self.clock.now()).unwrap_or(Instant::MIN_UTC);
        let mut events = 0;
        let removed = async {
            let written = if logged { self.repository.audit_log_date().await? } else { None };
            let before = written.map_or(before, |written| before.min(written));
            let count = |removed| {
                self.metrics.removed_events.add((), u64::try_from(removed).unwrap_or(u64::MAX));
                events += removed;
            };
            self.prune_audit_events(before, count).await
        };
        let removed: Result<(), DbError> = removed.await;
        if events > 0 {
            tracing::info!(events, %before, "old audit events were removed");
        }
        if let Err(error) = removed {
            self.metrics.duty_failures.count(Duty::AuditRetention);
            tracing::warn!(%error, %before, "old audit events are not all removed yet");
        }
    }
}
