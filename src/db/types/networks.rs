//! Lists of networks that were read before. A token of a thousand networks is read with every one
//! of its requests, and its list never changes: reading it anew takes 0.2 ms. The value is found by
//! all the bytes that the database just gave, so it is what reading them anew would give.

use std::sync::LazyLock;

use diesel::deserialize;
use ipnet::IpNet;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::domain::address::AllowedAddresses;

/// Bytes from which looking a list up is cheaper than reading it.
const LONG: usize = 256;
/// Bytes of all lists that are kept.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of a network in a list that is kept: itself, and the range of its addresses.
const NETWORK: usize = 64;

static KNOWN: LazyLock<Cache<Box<[u8]>, AllowedAddresses, Weight>> =
    LazyLock::new(|| Cache::with_weighter(256, MAX_BYTES, Weight));

#[derive(Clone)]
struct Weight;

impl Weighter<Box<[u8]>, AllowedAddresses> for Weight {
    fn weight(&self, stored: &Box<[u8]>, list: &AllowedAddresses) -> u64 {
        let bytes = stored.len() + list.iter().len() * NETWORK;
        bytes.try_into().unwrap_or(u64::MAX)
    }
}

/// The list that is stored as these bytes; `read` reads it where they are not known.
pub(super) fn known(
    stored: &[u8],
    read: impl FnOnce() -> deserialize::Result<Vec<IpNet>>,
) -> deserialize::Result<AllowedAddresses> {
    if stored.len() < LONG {
        return read().map(AllowedAddresses::stored);
    }
    if let Some(list) = KNOWN.get(stored) {
        return Ok(list);
    }
    let list = AllowedAddresses::stored(read()?);
    KNOWN.insert(stored.into(), list.clone());
    Ok(list)
}
