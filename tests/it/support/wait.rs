//! Waiting for a condition.

use std::time::{Duration, Instant};

/// Longest wait: nothing takes that long, and no test hangs.
const LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until it is so.
pub async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT, "waited in vain: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}
