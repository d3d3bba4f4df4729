//! The limit on failed proofs. Secrets cannot be guessed at any speed, so it protects no secret: it
//! tells whoever tries to stop, and keeps scanners and broken clients from going on forever.
//!
//! It counts by client network and overall, never by token: nobody can lock a token out by failing
//! in its name. A genuine secret of a usable token is judged before anything is counted, so it is
//! never limited. Beyond the limit, one answer covers every reason for which a token is not valid,
//! as below it: how failures are counted must not distinguish them either.
//!
//! The counts are this process's own; several instances count separately.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;

use crate::domain::client_network::client_network;
use crate::domain::clock::Instant;

/// In which failures are counted.
const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// Networks that are counted at once; further ones count overall only.
const MOST: usize = 10_000;

/// How many proofs may fail in a minute, on each instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureLimits {
    /// From one client address, or one network of 64 bits in IPv6.
    pub per_address: u32,
    /// From all of them.
    pub overall: u32,
}

impl FailureLimits {
    /// Everybody may fail as often as they like.
    pub const NONE: Self = Self { per_address: u32::MAX, overall: u32::MAX };
}

/// The failures of the current minute.
#[derive(Debug)]
pub(super) struct FailedProofs {
    limits: FailureLimits,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    overall: Window,
    /// `None`: the client's address is not known.
    by_network: HashMap<Option<IpAddr>, Window>,
}

/// Failures since an instant.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    start: Instant,
    failures: u32,
}

impl Window {
    fn is_over(&self, now: Instant) -> bool {
        !(TimeDelta::zero()..WINDOW).contains(&(now - self.start))
    }

    /// Counts a failure; or the seconds until the next one may be counted.
    fn count(&mut self, most: u32, now: Instant) -> Result<(), u32> {
        if self.is_over(now) {
            *self = Self { start: now, failures: 0 };
        }
        if self.failures >= most {
            let left = (self.start + WINDOW - now).num_milliseconds();
            return Err(u32::try_from((left + 999) / 1_000).unwrap_or(1).max(1));
        }
        self.failures += 1;
        Ok(())
    }
}

impl FailedProofs {
    pub(super) fn new(limits: FailureLimits) -> Self {
        Self { limits, counts: Mutex::default() }
    }

    /// Counts a failure; or, beyond the limit, the seconds after which a client may try again.
    pub(super) fn count(&self, client: Option<IpAddr>, now: Instant) -> Result<(), u32> {
        let network = client.map(client_network);
        // A panic leaves nothing half changed here.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let Counts { overall, by_network } = &mut *counts;
        if by_network.len() >= MOST && !by_network.contains_key(&network) {
            by_network.retain(|_, window| !window.is_over(now));
        }
        if by_network.len() < MOST || by_network.contains_key(&network) {
            // Whoever is over their own limit does not use up what others may fail.
            by_network.entry(network).or_default().count(self.limits.per_address, now)?;
        }
        overall.count(self.limits.overall, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::days(1) + TimeDelta::seconds(seconds)
    }

    fn from(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn each_network_fails_on_its_own_until_the_minute_is_over() {
        let failed = FailedProofs::new(FailureLimits { per_address: 2, overall: 100 });
        for (client, after, told) in [
            (from("192.0.2.1"), 0, Ok(())),
            (from("::ffff:192.0.2.1"), 1, Ok(())),
            (from("192.0.2.1"), 2, Err(58)),
            (from("192.0.2.2"), 2, Ok(())),
            (from("2001:db8::1"), 2, Ok(())),
            (from("2001:db8::2:1"), 2, Ok(())),
            (from("2001:db8::3"), 2, Err(60)),
            (from("2001:db8:0:1::3"), 2, Ok(())),
            (None, 2, Ok(())),
            (None, 2, Ok(())),
            (None, 2, Err(60)),
            (from("192.0.2.1"), 59, Err(1)),
            (from("192.0.2.1"), 60, Ok(())),
        ] {
            assert_eq!(failed.count(client, at(after)), told, "{client:?} after {after} s");
        }
    }

    #[test]
    fn all_together_have_a_limit_that_one_alone_cannot_use_up() {
        let failed = FailedProofs::new(FailureLimits { per_address: 2, overall: 4 });
        for _ in 0..100 {
            let _told = failed.count(from("192.0.2.1"), at(0));
        }
        assert_eq!(failed.count(from("192.0.2.2"), at(0)), Ok(()));
        assert_eq!(failed.count(from("192.0.2.3"), at(0)), Ok(()));
        assert_eq!(failed.count(from("192.0.2.4"), at(30)), Err(30));
        assert_eq!(failed.count(from("192.0.2.4"), at(60)), Ok(()));
    }

    #[test]
    fn the_memory_is_bounded() {
        let failed = FailedProofs::new(FailureLimits { per_address: 1, overall: u32::MAX });
        for n in 0..2 * u32::try_from(MOST).unwrap() {
            let _told = failed.count(Some(IpAddr::from(n.to_be_bytes())), at(0));
        }
        assert_eq!(failed.counts.lock().unwrap().by_network.len(), MOST);
        assert_eq!(failed.count(from("255.0.0.1"), at(60)), Ok(()));
        assert_eq!(failed.counts.lock().unwrap().by_network.len(), 1);
    }
}
