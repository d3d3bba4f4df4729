//! Whether execution has started.

use std::sync::atomic::{AtomicBool, Ordering};

/// Part of the data of a request. It stays unset where the engine's own limits refuse the
/// operation: its response looks the same as that of an executed one.
#[derive(Default)]
pub(in crate::graphql::engine) struct Started(AtomicBool);

impl Started {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(in crate::graphql::engine) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
