//! No escalation: whatever the grants, a token makes none that reaches further than itself.
//!
//! The server is held against a model that knows nothing of prefixes and unions. The networks are
//! drawn from few, so that a handful of addresses tells any two sets of them apart: between any two
//! addresses that some network separates, one of each kind is asked.

use std::collections::BTreeSet;
use std::net::IpAddr;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{Answer, Options, TestApp};

const PERMISSIONS: [&str; 5] = [
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

const ADDRESSES: [&str; 16] = [
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
struct Grant {
    permissions: Vec<&'static str>,
    networks: Vec<&'static str>,
}

impl Grant {
    fn any() -> impl Strategy<Value = Self> {
        let networks = prop_oneof![
            1 => Just(Vec::new()),
            4 => prop::collection::vec(select(&NETWORKS[..]), 1..6),
        ];
        let permissions = subsequence(&PERMISSIONS[..], 1..=PERMISSIONS.len());
        (permissions, networks).prop_map(|(permissions, networks)| Self { permissions, networks })
    }

    /// One that mostly lies within another one.
    fn near(other: &Self) -> impl Strategy<Value = Self> + use<> {
        let permissions = subsequence(other.permissions.clone(), 1..=other.permissions.len());
        let own: Vec<&str> = NETWORKS
            .into_iter()
            .filter(|network| admitted(&[network]).is_subset(&other.admitted()))
            .collect();
        let networks = prop::collection::vec(select(own), 1..4);
        (permissions, networks).prop_map(|(permissions, networks)| Self { permissions, networks })
    }

    /// One that has the parts of a network, and one that has the network.
    fn split() -> impl Strategy<Value = (Self, Self)> {
        let grant = |networks| Self { permissions: PERMISSIONS.into(), networks };
        select(&SPLITS[..])
            .prop_map(move |(whole, parts)| (grant(parts.into()), grant(vec![whole])))
    }

    fn admitted(&self) -> BTreeSet<&'static str> {
        match self.networks.as_slice() {
            [] => ADDRESSES.into(),
            networks => admitted(networks),
        }
    }

    /// The model: does this one lie within another?
    fn is_within(&self, other: &Self) -> bool {
        let may = self.permissions.iter().all(|permission| other.permissions.contains(permission));
        // Of no list at all is it known that it holds every address there is.
        let any = other.networks.is_empty();
        may && (any || !self.networks.is_empty() && self.admitted().is_subset(&other.admitted()))
    }

    fn input(&self, app: &TestApp, name: &str) -> Value {
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

/// Sends a document as a client with this address.
async fn from(app: &TestApp, address: &str, token: &str, body: Value) -> Answer {
    let request = app.post().bearer_auth(token).header("x-forwarded-for", address);
    Answer::of(request.body(body.to_string()).send().await.unwrap()).await
}

/// From which addresses of the sample can the token be used?
async fn usable_from(app: &TestApp, token: &str) -> BTreeSet<&'static str> {
    let mut usable = BTreeSet::new();
    for address in ADDRESSES {
        let answer = from(app, address, token, json!({ "query": "{ __typename }" })).await;
        assert!(matches!(answer.status.as_u16(), 200 | 403), "{}", answer.text);
        if answer.status == 200 {
            usable.insert(address);
        }
    }
    usable
}

/// Lets a token of the one grant make one of the other.
async fn attempt(app: &TestApp, case: usize, own: &Grant, wanted: &Grant) {
    let caller = app.secret(&app.admin, own.input(app, &format!("caller {case}"))).await;
    let address = own.admitted().into_iter().next().unwrap();
    let query = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) {
        token apiToken { permissions } } }";
    let input = wanted.input(app, &format!("made {case}"));
    let body = json!({ "query": query, "variables": { "input": input } });
    let answer = from(app, address, &caller, body).await;
    assert_eq!(answer.status, 200);
    let made = &answer.json["data"]["createApiToken"];

    let may_create = own.permissions.contains(&"API_API_TOKENS_WRITE");
    let expected = may_create && wanted.is_within(own);
    assert_eq!(!made.is_null(), expected, "{}", answer.text);
    if expected {
        let permissions: BTreeSet<&str> = wanted.permissions.iter().copied().collect();
        let granted = made["apiToken"]["permissions"].as_array().unwrap();
        let granted: BTreeSet<&str> = granted.iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(granted, permissions);
        let usable = usable_from(app, made["token"].as_str().unwrap()).await;
        assert_eq!(usable, wanted.admitted());
        assert!(usable.is_subset(&usable_from(app, &caller).await));
    } else {
        let codes = answer.errors();
        assert!(codes.iter().all(|code| code.starts_with("FORBIDDEN")), "{codes:?}");
        assert!(!codes.is_empty(), "{}", answer.text);
    }
}

#[test]
fn nothing_that_is_made_reaches_further_than_its_maker() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::with(Options {
        trusted_proxies: vec!["127.0.0.1/32"],
        ..Options::default()
    }));
    let grants = prop_oneof![
        1 => (Grant::any(), Grant::any()),
        2 => Grant::any().prop_flat_map(|own| (Just(own.clone()), Grant::near(&own))),
        1 => Grant::split(),
    ];
    let config =
        Config { cases: 32, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let case = std::sync::atomic::AtomicUsize::new(0);
    let outcome = TestRunner::new(config).run(&grants, |(own, wanted)| {
        let case = case.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        runtime.block_on(attempt(&app, case, &own, &wanted));
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(async { drop(app) });
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
