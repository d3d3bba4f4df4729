//! How many tokens there are. Counting them costs too much to do it whenever somebody asks.

use std::sync::{Mutex, PoisonError};

use crate::domain::clock::Instant;

/// The tokens at one instant; deleted ones do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Census {
    /// When they were counted.
    pub at: Instant,
    /// Tokens that can be used.
    pub active: u64,
    /// Tokens that are disabled and have not expired.
    pub disabled: u64,
    /// Tokens that have expired.
    pub expired: u64,
    /// Active tokens that expire within a number of days, which come first.
    pub expiring: [(u16, u64); 3],
    /// When the next token expires that is not disabled.
    pub next_expiry: Option<Instant>,
}

/// The latest value of something, if there was one.
#[derive(Debug)]
pub struct Latest<T>(Mutex<Option<T>>);

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Copy> Latest<T> {
    /// Keeps a value in place of the one before.
    pub fn set(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    /// The latest one.
    pub fn get(&self) -> Option<T> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
