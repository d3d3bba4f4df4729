//! Stored lists that were read before. A token's permissions and networks are read with every one
//! of its requests and never change in place: reading 64 permissions anew takes 7 us, and a
//! thousand networks 0.2 ms. The value is found by all the bytes that the database just gave, so it
//! is what reading them anew would give.

use diesel::deserialize;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// Bytes of all lists that are kept.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// About as many of them as that is.
const USUAL: usize = 4_096;

/// Lists by what is stored of them.
pub(super) struct Known<T>(Cache<Box<[u8]>, T, Weight<T>>);

/// The bytes that a list takes.
#[derive(Clone)]
struct Weight<T>(fn(&T) -> usize);

impl<T> Weighter<Box<[u8]>, T> for Weight<T> {
    fn weight(&self, stored: &Box<[u8]>, list: &T) -> u64 {
        (stored.len() + self.0(list)).try_into().unwrap_or(u64::MAX)
    }
}

impl<T: Clone> Known<T> {
    /// None yet; `bytes` says how many a list takes.
    pub(super) fn new(bytes: fn(&T) -> usize) -> Self {
        Self(Cache::with_weighter(USUAL, MAX_BYTES, Weight(bytes)))
    }

    /// The list that is stored as these bytes; `read` reads it where they are not known.
    pub(super) fn get(
        &self,
        stored: &[u8],
        read: impl FnOnce() -> deserialize::Result<T>,
    ) -> deserialize::Result<T> {
        if let Some(list) = self.0.get(stored) {
            return Ok(list);
        }
        let list = read()?;
        self.0.insert(stored.into(), list.clone());
        Ok(list)
    }
}
