//! How long things took, as histograms.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use super::label::Key;
use super::sharded::Sharded;

/// The longest times that the buckets of a histogram hold, in seconds: from a verification whose
/// proof is remembered to what timeouts allow.
pub const BOUNDS: [f64; 12] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];
/// The same in nanoseconds.
const NANOS: [u64; BOUNDS.len()] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    100_000_000,
    250_000_000,
    1_000_000_000,
    5_000_000_000,
];
/// The buckets, one for what took longer, and the sum of all times.
const NUMBERS: usize = BOUNDS.len() + 2;
const SUM: usize = NUMBERS - 1;

/// A histogram for each key.
pub struct Durations<K> {
    numbers: Sharded,
    keys: PhantomData<fn(K)>,
}

/// What a histogram holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// How many times were at most as long as each of [`BOUNDS`] and longer than the one before;
    /// last, those that were longer than all.
    pub buckets: [u64; BOUNDS.len() + 1],
    /// How many there were.
    pub count: u64,
    /// All of them together.
    pub total: Duration,
}

/// Measures from its making until it is dropped.
pub struct Timing<'a, K: Key> {
    durations: &'a Durations<K>,
    key: K,
    start: Instant,
}

impl<K: Key> Durations<K> {
    /// Adds a time.
    pub fn add(&self, key: K, took: Duration) {
        let first = key.place() * NUMBERS;
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = NANOS.partition_point(|bound| *bound < nanos);
        self.numbers.add(first + bucket, 1);
        self.numbers.add(first + SUM, nanos);
    }

    /// Measures until what is returned is dropped.
    pub fn start(&self, key: K) -> Timing<'_, K> {
        Timing { durations: self, key, start: Instant::now() }
    }

    /// What was measured so far.
    pub fn get(&self, key: K) -> Measured {
        let first = key.place() * NUMBERS;
        let buckets = std::array::from_fn(|bucket| self.numbers.sum(first + bucket));
        let total = Duration::from_nanos(self.numbers.sum(first + SUM));
        Measured { buckets, count: buckets.iter().sum(), total }
    }
}

impl<K: Key> Drop for Timing<'_, K> {
    fn drop(&mut self) {
        self.durations.add(self.key, self.start.elapsed());
    }
}

impl<K: Key> Default for Durations<K> {
    fn default() -> Self {
        Self { numbers: Sharded::new(K::SIZE * NUMBERS), keys: PhantomData }
    }
}

impl<K> fmt::Debug for Durations<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Durations(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Hashing;

    #[test]
    fn bounds_are_the_same_in_both_units() {
        for (seconds, nanos) in BOUNDS.iter().zip(NANOS) {
            assert_eq!(Duration::from_secs_f64(*seconds), Duration::from_nanos(nanos));
        }
    }

    #[test]
    fn a_time_falls_into_the_first_bucket_that_holds_it() {
        let durations = Durations::<Hashing>::default();
        for (micros, bucket) in [(0, 0), (100, 0), (101, 1), (5_000_000, 11), (5_000_001, 12)] {
            let before = durations.get(Hashing::Store);
            durations.add(Hashing::Store, Duration::from_micros(micros));
            let after = durations.get(Hashing::Store);
            assert_eq!(after.buckets[bucket], before.buckets[bucket] + 1, "{micros}");
            assert_eq!(after.count, before.count + 1);
            assert_eq!(after.total - before.total, Duration::from_micros(micros));
        }
        assert_eq!(durations.get(Hashing::Prove).count, 0);
    }
}
