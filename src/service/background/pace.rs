//! How often last uses are written where the policy has a short idle time: another server that judges
//! the token knows only what is stored.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::domain::policy::{Limit, PolicyDuration, Scope};

/// Uses are written so often within an idle time.
const TIMES: u32 = 4;

/// The idle time of the policy, as it was last read.
#[derive(Debug, Default)]
pub(in crate::service) struct Pace {
    /// In seconds; 0: there is none.
    idle: AtomicI32,
    changed: Notify,
}

impl Pace {
    /// Follows the policy that a token was judged by.
    pub(in crate::service) fn follow(&self, idle: Limit) {
        let idle = idle.duration.filter(|_| idle.scope != Scope::Off);
        let seconds = idle.map_or(0, PolicyDuration::seconds);
        if self.idle.load(Ordering::Relaxed) != seconds {
            self.idle.store(seconds, Ordering::Relaxed);
            self.changed.notify_one();
        }
    }

    /// Ends when uses are to be written; never, if the policy has no idle time.
    pub(super) async fn due(&self) {
        loop {
            let seconds = u64::try_from(self.idle.load(Ordering::Relaxed)).unwrap_or(0);
            let changed = self.changed.notified();
            if seconds == 0 {
                changed.await;
            } else {
                tokio::select! {
                    () = sleep(Duration::from_secs(seconds) / TIMES) => return,
                    () = changed => {}
                }
            }
        }
    }
}
