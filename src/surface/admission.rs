//! How many connections there may be. Each takes a descriptor and memory, whoever it belongs to and
//! whether or not anything is asked on it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::client_network::client_network;
use crate::wire::forwarded::TrustedProxies;

/// How many connections there may be at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// In all.
    pub all: usize,
    /// From one address, unless it is a trusted proxy's.
    pub per_address: usize,
}

/// The connections that are open.
#[derive(Debug)]
pub struct Connections {
    limits: ConnectionLimits,
    exempt: TrustedProxies,
    open: Mutex<Open>,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why a connection is closed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    #[error("too many connections in all")]
    InAll,
    #[error("too many connections from this address")]
    FromThisAddress,
}

/// An open connection, which counts until it is dropped.
#[derive(Debug)]
pub struct Admitted {
    connections: Arc<Connections>,
    address: Option<IpAddr>,
}

impl Connections {
    /// No connection is open yet. Those of `exempt` count only in all.
    pub fn new(limits: ConnectionLimits, exempt: TrustedProxies) -> Arc<Self> {
        Arc::new(Self { limits, exempt, open: Mutex::default(), refused: AtomicU64::new(0) })
    }

    /// How many are open now.
    pub fn open_now(&self) -> usize {
        self.open().all
    }

    /// The most that may be open.
    pub const fn most(&self) -> usize {
        self.limits.all
    }

    /// How many were closed at once so far.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Counts a new connection.
    pub fn admit(self: &Arc<Self>, peer: Option<IpAddr>) -> Result<Admitted, TooMany> {
        self.count(peer).inspect_err(|_| {
            self.refused.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn count(self: &Arc<Self>, peer: Option<IpAddr>) -> Result<Admitted, TooMany> {
        let address = peer.filter(|peer| !self.exempt.contains(*peer)).map(client_network);
        let mut open = self.open();
        if open.all >= self.limits.all {
            return Err(TooMany::InAll);
        }
        if let Some(address) = address {
            let from_there = open.by_address.entry(address).or_default();
            if *from_there >= self.limits.per_address {
                return Err(TooMany::FromThisAddress);
            }
            *from_there += 1;
        }
        open.all += 1;
        Ok(Admitted { connections: Arc::clone(self), address })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.all = open.all.saturating_sub(1);
        let Some(address) = self.address else { return };
        if let Some(from_there) = open.by_address.get_mut(&address) {
            *from_there = from_there.saturating_sub(1);
            if *from_there == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ConnectionLimits = ConnectionLimits { all: 5, per_address: 2 };

    fn connections(exempt: &[&str]) -> Arc<Connections> {
        let exempt = exempt.iter().map(|text| text.parse().unwrap()).collect();
        Connections::new(LIMITS, TrustedProxies::new(exempt))
    }

    fn peer(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn each_address_has_its_bound_and_what_ends_makes_room() {
        let connections = connections(&[]);
        let first = connections.admit(peer("192.0.2.1")).unwrap();
        let _second = connections.admit(peer("::ffff:192.0.2.1")).unwrap();
        assert_eq!(connections.admit(peer("192.0.2.1")).unwrap_err(), TooMany::FromThisAddress);
        let _other = connections.admit(peer("192.0.2.2")).unwrap();
        drop(first);
        let _again = connections.admit(peer("192.0.2.1")).unwrap();
        let _v6 = connections.admit(peer("2001:db8::1")).unwrap();
        let _v6 = connections.admit(peer("2001:db8::2")).unwrap();
        assert_eq!(connections.admit(peer("2001:db8::3")).unwrap_err(), TooMany::InAll);
    }

    #[test]
    fn a_network_of_64_bits_counts_as_one_address() {
        let connections = connections(&[]);
        let _first = connections.admit(peer("2001:db8::1")).unwrap();
        let _second = connections.admit(peer("2001:db8::2")).unwrap();
        assert_eq!(connections.admit(peer("2001:db8::3")).unwrap_err(), TooMany::FromThisAddress);
        assert!(connections.admit(peer("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn trusted_proxies_share_only_the_bound_on_all() {
        let connections = connections(&["192.0.2.1/32"]);
        let open: Vec<_> = (0..5).map(|_| connections.admit(peer("192.0.2.1")).unwrap()).collect();
        assert_eq!(connections.admit(peer("192.0.2.1")).unwrap_err(), TooMany::InAll);
        drop(open);
        assert_eq!(connections.open().all, 0);
    }
}
