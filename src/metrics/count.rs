//! Counters.

use std::fmt;
use std::marker::PhantomData;

use super::label::Key;
use super::sharded::Sharded;

/// A counter for each key.
pub struct Counters<K> {
    numbers: Sharded,
    keys: PhantomData<fn(K)>,
}

impl<K: Key> Counters<K> {
    /// Counts one.
    pub fn count(&self, key: K) {
        self.add(key, 1);
    }

    /// Counts several.
    pub fn add(&self, key: K, more: u64) {
        self.numbers.add(key.place(), more);
    }

    /// How many were counted.
    pub fn get(&self, key: K) -> u64 {
        self.numbers.sum(key.place())
    }
}

impl<K: Key> Default for Counters<K> {
    fn default() -> Self {
        Self { numbers: Sharded::new(K::SIZE), keys: PhantomData }
    }
}

impl<K> fmt::Debug for Counters<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counters(..)")
    }
}
