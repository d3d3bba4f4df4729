//! What can be done, drawn at random.

use proptest::bool::weighted;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Names: some are the same to the server.
pub const NAMES: [&str; 8] = ["ci", "CI", "Ｃｉ", "build", "Build", "ﬁnance", "finance", "deploy"];
/// In the order of the server.
pub const PERMISSIONS: [&str; 5] = [
    "API_USERS_READ",
    "API_API_TOKENS_READ",
    "API_API_TOKENS_WRITE",
    "API_API_TOKENS_DELETE",
    "API_TASKS_READ",
];
/// Lists of addresses, and which of four addresses each admits: 127.0.0.1, 127.0.0.2, 10.0.0.1 and
/// 192.0.2.1, one for each part that these lists tell apart.
pub const ADDRESSES: [(&[&str], u8); 5] = [
    (&[], 0b1111),
    (&["127.0.0.0/8"], 0b0011),
    (&["127.0.0.1"], 0b0001),
    (&["10.0.0.0/8"], 0b0100),
    (&["10.0.0.0/8", "127.0.0.1"], 0b0101),
];

/// What tokens are for: descriptions and labels.
pub const PURPOSES: [(&str, &[(&str, &str)]); 4] = [
    ("", &[]),
    ("first", &[("tenant", "acme")]),
    ("", &[("env", "test"), ("tenant", "acme")]),
    ("second", &[("tenant", "globex")]),
];

/// One of the tokens that were ever made; none is the administrator's.
pub type Pick = Option<Index>;

/// One thing to do. `hours` are from now.
#[derive(Debug, Clone)]
pub enum Operation {
    Create {
        by: Pick,
        name: &'static str,
        purpose: usize,
        permissions: u8,
        addresses: usize,
        hours: i64,
    },
    Update {
        by: Pick,
        target: Pick,
        behind: i32,
        change: Change,
    },
    Renew {
        by: Pick,
        target: Pick,
        name: Option<&'static str>,
        overlap: Option<i32>,
        hours: i64,
    },
    Delete {
        by: Pick,
        target: Pick,
        behind: Option<i32>,
        descendants: bool,
    },
    Use {
        by: Pick,
    },
    Advance {
        hours: i64,
    },
}

/// What an update is to change.
#[derive(Debug, Clone)]
pub struct Change {
    pub name: Option<&'static str>,
    pub purpose: Option<usize>,
    pub enabled: Option<bool>,
    pub permissions: Option<u8>,
    pub addresses: Option<usize>,
    pub hours: Option<i64>,
    pub descendants: bool,
}

impl Operation {
    /// Its root field.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Create { .. } => "createApiToken",
            Self::Update { .. } => "updateApiToken",
            Self::Renew { .. } => "renewApiToken",
            Self::Delete { .. } => "deleteApiToken",
            Self::Use { .. } | Self::Advance { .. } => "currentApiToken",
        }
    }
}

fn pick() -> impl Strategy<Value = Pick> {
    option::weighted(0.6, any::<Index>())
}

/// Mostly many, so that there is something to hand on.
fn permissions() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0b11111), 5 => 0..0b10_0000_u8]
}

fn addresses() -> impl Strategy<Value = usize> {
    prop_oneof![2 => Just(0), 3 => 0..ADDRESSES.len()]
}

fn behind() -> impl Strategy<Value = i32> {
    prop_oneof![8 => Just(0), 1 => Just(1), 1 => Just(-1)]
}

fn hours() -> impl Strategy<Value = i64> {
    -2..100_i64
}

fn change() -> impl Strategy<Value = Change> {
    let parts = (
        option::weighted(0.3, select(&NAMES[..])),
        option::weighted(0.3, 0..PURPOSES.len()),
        option::weighted(0.3, any::<bool>()),
        option::weighted(0.4, permissions()),
        option::weighted(0.4, addresses()),
        option::weighted(0.3, hours()),
        any::<bool>(),
    );
    parts.prop_map(|(name, purpose, enabled, permissions, addresses, hours, all)| Change {
        name,
        purpose,
        enabled,
        permissions,
        addresses,
        hours,
        // Elsewhere it is always refused.
        descendants: all && (enabled == Some(false) || hours == Some(7)),
    })
}

/// Anything.
pub fn operation() -> impl Strategy<Value = Operation> {
    let overlap = option::weighted(0.5, -5..400_000);
    prop_oneof![
        6 => (pick(), select(&NAMES[..]), 0..PURPOSES.len(), permissions(), addresses(), hours())
            .prop_map(|(by, name, purpose, permissions, addresses, hours)|
                Operation::Create { by, name, purpose, permissions, addresses, hours }),
        6 => (pick(), pick(), behind(), change()).prop_map(
            |(by, target, behind, change)| Operation::Update { by, target, behind, change }),
        3 => (pick(), pick(), option::weighted(0.5, select(&NAMES[..])), overlap, hours()).prop_map(
            |(by, target, name, overlap, hours)|
                Operation::Renew { by, target, name, overlap, hours }),
        3 => (pick(), any::<Index>(), option::weighted(0.5, behind()), weighted(0.3)).prop_map(
            |(by, target, behind, descendants)|
                Operation::Delete { by, target: Some(target), behind, descendants }),
        3 => pick().prop_map(|by| Operation::Use { by }),
        1 => (0..8_i64).prop_map(|hours| Operation::Advance { hours }),
    ]
}
