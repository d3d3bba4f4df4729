//! Numbers of what a process has once: its log, and the export of its traces.

use std::sync::atomic::{AtomicU64, Ordering};

/// Lines of the log that nobody read in time.
pub static LOST_LOG_LINES: Total = Total::new();

/// Spans of traces that the collector has taken.
pub static EXPORTED_SPANS: Total = Total::new();

/// Spans that the collector has not taken, or for which there was no room.
pub static LOST_SPANS: Total = Total::new();

/// A number that only grows.
#[derive(Debug)]
pub struct Total(AtomicU64);

impl Total {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Takes over what was counted elsewhere.
    pub fn set(&self, total: u64) {
        self.0.store(total, Ordering::Relaxed);
    }

    /// Counts more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
