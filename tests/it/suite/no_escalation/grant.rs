//! Grants, and a model of them that knows nothing of prefixes and unions.
//!
//! The networks are drawn from few, so that a handful of addresses can distinguish any two sets of
//! them: one address of each kind is tried between any two that some network separates.

use std::collections::BTreeSet;
use std::net::IpAddr;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::support::TestApp;

/// What is granted here.
pub const PERMISSIONS: [&str; 5] = [
    "API_API_TOKENS_WRITE",
    "API_API_TOKENS_READ",
    "API_USERS_READ",
    "API_TASKS_READ",
    "API_TASKS_WRITE",
];

const NETWORKS: [&str; 23] = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.0/29",
    "10.0.0.0/30",
    "10.0.0.4/30",
    "10.0.0.0/31",
    "10.0.0.2/31",
    "10.0.0.4/31",
    "10.0.0.6/31",
    "10.0.0.0",
    "10.0.0.3",
    "10.0.0.5",
    "10.0.0.6",
    "10.0.0.7",
    "::/0",
    "::/1",
    "8000::/1",
    "2001:db8::/126",
    "2001:db8::/127",
    "2001:db8::2/127",
    "2001:db8::2",
    "2001:db8::3",
];

/// Networks with the parts that make them up.
const SPLITS: [(&str, &[&str]); 6] = [
    ("0.0.0.0/0", &["0.0.0.0/1", "128.0.0.0/1"]),
    ("10.0.0.0/29", &["10.0.0.4/30", "10.0.0.0/30"]),
    ("10.0.0.0/29", &["10.0.0.0/31", "10.0.0.4/30", "10.0.0.2/31"]),
    ("10.0.0.6/31", &["10.0.0.6", "10.0.0.7"]),
    ("::/0", &["8000::/1", "::/1"]),
    ("2001:db8::2/127", &["2001:db8::2", "2001:db8::3"]),
];

/// From where is asked.
pub const ADDRESSES: [&str; 16] = [
    "10.0.0.0",
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.3",
    "10.0.0.4",
    "10.0.0.5",
    "10.0.0.6",
    "10.0.0.7",
    "11.0.0.1",
    "192.0.2.1",
    "2001:db8::",
    "2001:db8::1",
    "2001:db8::2",
    "2001:db8::3",
    "2001:db9::1",
    "fd00::1",
];

/// What a token may do and from where. No network: from anywhere.
#[derive(Debug, Clone)]
pub struct Grant {
    pub permissions: Vec<&'static str>,
    pub networks: Vec<&'static str>,
}

impl Grant {
    /// Any at all.
    pub fn any() -> impl Strategy<Value = Self> {
        let networks = prop_oneof![
            1 => Just(Vec::new()),
            4 => prop::collection::vec(select(&NETWORKS[..]), 1..6),
        ];
        let permissions = subsequence(&PERMISSIONS[..], 1..=PERMISSIONS.len());
        (permissions, networks).prop_map(|(permissions, networks)| Self { permissions, networks })
    }

    /// One that mostly lies within another one.
    pub fn near(other: &Self) -> impl Strategy<Value = Self> + use<> {
        let permissions = subsequence(other.permissions.clone(), 1..=other.permissions.len());
        let own: Vec<&str> = NETWORKS
            .into_iter()
            .filter(|network| admitted(&[network]).is_subset(&other.admitted()))
            .collect();
        let networks = prop::collection::vec(select(own), 1..4);
        (permissions, networks).prop_map(|(permissions, networks)| Self { permissions, networks })
    }

    /// One that has the parts of a network, and one that has the network.
    pub fn split() -> impl Strategy<Value = (Self, Self)> {
        let grant = |networks| Self { permissions: PERMISSIONS.into(), networks };
        select(&SPLITS[..])
            .prop_map(move |(whole, parts)| (grant(parts.into()), grant(vec![whole])))
    }

    /// The addresses of the sample from which it can be used.
    pub fn admitted(&self) -> BTreeSet<&'static str> {
        match self.networks.as_slice() {
            [] => ADDRESSES.into(),
            networks => admitted(networks),
        }
    }

    /// The model: does this one lie within another?
    pub fn is_within(&self, other: &Self) -> bool {
        let may = self.permissions.iter().all(|permission| other.permissions.contains(permission));
        // Of no list at all is it known that it holds every address there is.
        let any = other.networks.is_empty();
        may && (any || !self.networks.is_empty() && self.admitted().is_subset(&other.admitted()))
    }

    /// The input of a token with it.
    pub fn input(&self, app: &TestApp, name: &str) -> Value {
        let grant = json!({ "permissions": self.permissions, "allowedAddresses": self.networks });
        app.input(name, grant)
    }
}

/// The addresses of the sample in any of these networks.
fn admitted(networks: &[&str]) -> BTreeSet<&'static str> {
    let is_in = |address: &&str| networks.iter().any(|network| contains(network, address));
    ADDRESSES.into_iter().filter(is_in).collect()
}

/// Bit by bit.
fn contains(network: &str, address: &str) -> bool {
    let (network, length) = match network.split_once('/') {
        Some((network, length)) => (network, length.parse().unwrap()),
        None => (network, 128),
    };
    let (network, address) = (bits(network), bits(address));
    network.len() == address.len() && network.iter().zip(&address).take(length).all(|(a, b)| a == b)
}

fn bits(address: &str) -> Vec<bool> {
    let bytes = match address.parse().unwrap() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let bits = |byte: u8| (0..8).rev().map(move |place| byte >> place & 1 == 1);
    bytes.into_iter().flat_map(bits).collect()
}

#[test]
fn the_model_knows_what_it_is_asked() {
    let grant = |networks: &[&'static str]| Grant {
        permissions: vec!["API_USERS_READ"],
        networks: networks.to_vec(),
    };
    for (wanted, own, expected) in [
        (&["10.0.0.0/30"][..], &["10.0.0.0/31", "10.0.0.2/31"][..], true),
        (&["10.0.0.0/30"], &["10.0.0.0/31", "10.0.0.3"], false),
        (&["0.0.0.0/0"], &["0.0.0.0/1", "128.0.0.0/1"], true),
        (&["0.0.0.0/1"], &["10.0.0.0/29", "128.0.0.0/1"], false),
        (&["::/0"], &["0.0.0.0/0"], false),
        (&[], &["0.0.0.0/0", "::/0"], false),
        (&["::/0"], &[], true),
        (&[], &[], true),
    ] {
        let found = grant(wanted).is_within(&grant(own));
        assert_eq!(found, expected, "{wanted:?} within {own:?}");
    }
}
