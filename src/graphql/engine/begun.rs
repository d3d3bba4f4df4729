//! Whether a document has come to be executed.

use std::sync::atomic::{AtomicBool, Ordering};

/// Stands in the data of a request. What the engine's own limits refuse never begins.
#[derive(Default)]
pub(super) struct Begun(AtomicBool);

impl Begun {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
