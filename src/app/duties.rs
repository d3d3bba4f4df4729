//! Background duties: what a server does beside answering requests, and how they end in order.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::metrics::{Duty, Metrics};

/// The duties that run.
#[derive(Debug, Default)]
pub(super) struct Duties {
    running: TaskTracker,
    stop: CancellationToken,
    metrics: Arc<Metrics>,
}

impl Duties {
    /// None runs yet.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..Self::default() }
    }

    /// Starts a duty. It must end by itself once its token is cancelled.
    pub(super) fn start<F>(&self, name: &'static str, duty: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let duty = AssertUnwindSafe(duty(self.stop.clone())).catch_unwind();
        let metrics = Arc::clone(&self.metrics);
        self.running.spawn(async move {
            if duty.await.is_err() {
                metrics.duty_failures.count(Duty::Panicked);
                tracing::error!(duty = name, "a background duty panicked and has stopped");
            }
        });
    }

    /// Ends all duties and waits for them, at most for `limit`.
    pub(super) async fn end(self, limit: Duration) {
        self.stop.cancel();
        self.running.close();
        if timeout(limit, self.running.wait()).await.is_err() {
            tracing::warn!(duties = self.running.len(), "background duties did not end in time");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn every_duty_comes_to_its_end_though_another_panics() {
        let ended = Arc::new(AtomicUsize::new(0));
        let duties = Duties::default();
        duties.start("panics", |_| async { panic!("on purpose") });
        for _ in 0..2 {
            let ended = Arc::clone(&ended);
            duties.start("counts", |stop| async move {
                stop.cancelled().await;
                tokio::task::yield_now().await;
                ended.fetch_add(1, Ordering::Relaxed);
            });
        }
        duties.end(Duration::from_secs(60)).await;
        assert_eq!(ended.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_duty_that_does_not_end_is_not_waited_for_without_bound() {
        let duties = Duties::default();
        duties.start("stuck", |_| std::future::pending());
        duties.end(Duration::ZERO).await;
    }
}
