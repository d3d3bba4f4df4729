//! Maintenance of the file while it is in use: it must still exist, and its log must stay short.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use super::log::LONG_LOG;
use super::pools::{SqlitePools, WeakPools};

/// How often the files are looked at while nobody uses them.
const LOOK: Duration = Duration::from_secs(1);
/// Time to the next try after one that was in vain. It doubles up to the second: each keeps writers
/// waiting for a moment, and a reader that stays, such as Litestream, empties the log itself.
const REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Maintains the file until its connections are closed. A writer that finds the log long reports
/// it, so that it is folded before the next regular check.
pub(super) async fn keep(pools: WeakPools) {
    let mut due = interval(LOOK);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut in_vain: Option<Instant> = None;
    let mut rest = REST;
    loop {
        tokio::select! {
            _ = due.tick() => {}
            () = pools.long_log() => {}
        }
        let Some(pools) = pools.upgrade() else { return };
        if pools.is_closed() {
            return;
        }
        // A lost file is reported where it is found.
        let Ok(size) = pools.check().await else { continue };
        if size <= LONG_LOG || in_vain.is_some_and(|tried| tried.elapsed() < rest) {
            continue;
        }
        let reported = in_vain.is_some();
        in_vain = match pools.fold().await {
            Ok(true) => {
                rest = REST;
                None
            }
            Ok(false) => {
                if reported {
                    rest = (rest * 2).min(LONGEST_REST);
                } else {
                    report(&pools, size);
                }
                Some(Instant::now())
            }
            Err(error) => {
                tracing::debug!(%error, "the write-ahead log is not folded yet");
                in_vain
            }
        };
    }
}

fn report(pools: &SqlitePools, size: u64) {
    tracing::warn!(
        "the write-ahead log of {} has {} MiB and cannot be folded, because another process \
         reads the file in a transaction that does not end; usually that is a sqlite3 shell, or \
         Litestream, which empties the log itself",
        pools.path().display(),
        size / (1024 * 1024)
    );
}
