//! What is written beside the requests: each duty notes in memory, and one loop writes.

mod census;
mod expiry_notices;
mod idempotency_keys;
mod last_use;
mod pace;
mod refusals;
mod replace_secrets;
mod retention;

use std::pin::pin;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::Service;
use crate::metrics::Duty;

pub(super) use last_use::LastUses;
pub(super) use refusals::{Refusal, Refusals};

/// How often noted uses are written. Including the time that writing takes, a use is stored within
/// a minute.
pub const LAST_USE_INTERVAL: Duration = Duration::from_secs(30);

impl Service {
    /// Writes the last uses, secrets in their new form, refusals and the time, over and over until
    /// `stop` is ready, and then once more.
    pub async fn keep_last_uses(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut due = interval(self.last_use_interval);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = due.tick() => self.write_noted(false).await,
                () = self.last_uses.pace().due() => self.write_last_uses().await,
                _ = &mut stop => break,
            }
        }
        self.write_noted(true).await;
    }

    async fn write_noted(&self, at_end: bool) {
        self.write_last_uses().await;
        self.replace_secrets().await;
        self.write_refusals(at_end).await;
        self.forget_keys().await;
        self.keep_clock().await;
    }

    /// Keeps the time that it is for the next process, should the clock be set back meanwhile.
    async fn keep_clock(&self) {
        if let Err(error) = self.repository.move_clock_mark().await {
            self.metrics.duty_failures.count(Duty::Clock);
            tracing::warn!(%error, "the time is not kept in the database yet");
        }
    }
}
