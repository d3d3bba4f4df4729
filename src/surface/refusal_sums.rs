//! Refusals in the log. The first of each kind from an address has a line of its own; the next ones
//! are counted, and a line has their sum. So a flood of refused requests cannot flood the log.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// How often sums are written.
const INTERVAL: Duration = Duration::from_secs(10);
/// Addresses and kinds that are told apart; what else comes counts together.
const MAX_KINDS: usize = 1024;

/// What was refused since the last sums.
#[derive(Debug, Default)]
pub struct RefusalSums(Mutex<HashMap<Kind, u64>>);

/// A kind of refusal from one address. `None`: one of many.
type Kind = Option<(Option<IpAddr>, String)>;

impl RefusalSums {
    /// Counts a refusal. Is it the first of its kind, which has a line of its own?
    pub fn is_first(&self, client: Option<IpAddr>, what: &str) -> bool {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = Some((client, what.to_owned()));
        if let Some(count) = sums.get_mut(&kind) {
            *count += 1;
            return false;
        }
        if sums.len() < MAX_KINDS {
            sums.insert(kind, 0);
            return true;
        }
        *sums.entry(None).or_default() += 1;
        false
    }

    /// Writes the sums from time to time, until `stop` is ready, and what is left then.
    pub async fn keep(&self, stop: impl Future<Output = ()>) {
        // `interval` would tick at once, and what was first before that would be first again after.
        let mut ticks = interval_at(Instant::now() + INTERVAL, INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return self.write(),
                _ = ticks.tick() => self.write(),
            }
        }
    }

    /// A kind that did not come again is forgotten.
    fn write(&self) {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = sums.iter().filter(|(_, count)| **count > 0);
        let counted: Vec<(Kind, u64)> =
            counted.map(|(kind, count)| (kind.clone(), *count)).collect();
        sums.retain(|kind, count| kind.is_some() && std::mem::take(count) > 0);
        drop(sums);
        for (kind, count) in counted {
            let Some((client, what)) = kind else {
                tracing::info!(count, "refused, from many addresses");
                continue;
            };
            let client = client.map(tracing::field::display);
            tracing::info!(client, what, count, "refused again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_kind_is_told_and_the_rest_is_counted() {
        let sums = RefusalSums::default();
        let address = |n: u8| Some(IpAddr::from([192, 0, 2, n]));
        assert!(sums.is_first(address(1), "unknown"));
        assert!(!sums.is_first(address(1), "unknown"));
        assert!(sums.is_first(address(1), "expired"));
        assert!(sums.is_first(address(2), "unknown"));
        let count = |kind: &Kind| sums.0.lock().unwrap().get(kind).copied();
        assert_eq!(count(&Some((address(1), "unknown".to_owned()))), Some(1));
        sums.write();
        assert_eq!(sums.0.lock().unwrap().len(), 1, "what did not come again is forgotten");
        assert!(!sums.is_first(address(1), "unknown"), "its flood goes on");
        sums.write();
        sums.write();
        assert!(sums.is_first(address(1), "unknown"));
    }

    #[test]
    fn many_addresses_take_little_memory() {
        let sums = RefusalSums::default();
        for n in 0..u32::try_from(2 * MAX_KINDS).unwrap() {
            sums.is_first(Some(IpAddr::from(n.to_be_bytes())), "unknown");
        }
        assert_eq!(sums.0.lock().unwrap().len(), MAX_KINDS + 1);
    }
}
