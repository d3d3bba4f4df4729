//! Removing the keys of requests that are too old to be retried.

use crate::domain::idempotency::KEPT;
use crate::metrics::Duty;
use crate::service::Service;

impl Service {
    /// Removes what is older than a day, in small steps.
    pub(super) async fn forget_keys(&self) {
        let until = self.clock.now() - KEPT;
        loop {
            match self.repository.forget_keys(until).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    self.metrics.duty_failures.count(Duty::IdempotencyKeys);
                    return tracing::warn!(%error, "old idempotency keys are not removed yet");
                }
            }
        }
    }
}
