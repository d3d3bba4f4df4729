//! Writing proven secrets in the form that new ones are stored in.

use crate::metrics::Duty;
use crate::service::Service;

/// Tokens written in one transaction, which keeps other writers waiting.
const BATCH: usize = 100;

impl Service {
    /// Writes what proofs have noted since the last time. Requests do not wait for it and do not
    /// fail with it.
    pub(super) async fn replace_secrets(&self) {
        let outdated = self.proofs.outdated();
        let taken = outdated.take();
        let mut unwritten = taken.as_slice();
        while !unwritten.is_empty() {
            let (batch, rest) = unwritten.split_at(unwritten.len().min(BATCH));
            if let Err(error) = self.repository.replace_secrets(batch).await {
                self.metrics.duty_failures.count(Duty::ReplaceSecrets);
                let tokens = unwritten.len();
                tracing::warn!(%error, tokens, "tags of secrets are not written yet");
                return outdated.give_back(unwritten);
            }
            unwritten = rest;
        }
    }
}
