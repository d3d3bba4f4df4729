//! Numbers that many threads add to. Each thread adds to a copy that it shares with few others, so
//! that processors do not wait for each other; whoever reads adds the copies up.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Copies of all numbers.
const COPIES: usize = 8;
/// Numbers between those of two copies, so that no line of a processor's cache (128 bytes at most)
/// holds numbers of both.
const GAP: usize = 16;

/// The copy of the next new thread.
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static COPY: usize = NEXT.fetch_add(1, Ordering::Relaxed) % COPIES;
}

/// A fixed number of sums.
#[derive(Debug)]
pub(super) struct Sharded {
    numbers: Box<[AtomicU64]>,
    stride: usize,
}

impl Sharded {
    pub(super) fn new(size: usize) -> Self {
        let stride = size + GAP;
        let numbers = (0..stride * COPIES).map(|_| AtomicU64::new(0)).collect();
        Self { numbers, stride }
    }

    pub(super) fn add(&self, place: usize, amount: u64) {
        let copy = COPY.with(|copy| *copy);
        if let Some(number) = self.numbers.get(copy * self.stride + place) {
            number.fetch_add(amount, Ordering::Relaxed);
        }
    }

    pub(super) fn sum(&self, place: usize) -> u64 {
        let copies = self.numbers.iter().skip(place).step_by(self.stride);
        copies.map(|number| number.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_add_is_summed_up() {
        let numbers = Sharded::new(3);
        std::thread::scope(|scope| {
            for _ in 0..2 * COPIES {
                scope.spawn(|| {
                    for place in 0..3 {
                        numbers.add(place, place as u64 + 1);
                    }
                });
            }
        });
        let threads = 2 * COPIES as u64;
        assert_eq!([0, 1, 2].map(|place| numbers.sum(place)), [1, 2, 3].map(|n| n * threads));
    }
}
