//! The gate between the validation of a document and its execution.

use std::sync::atomic::{AtomicBool, Ordering};

/// Stands in the data of a request. Only a valid document comes to it.
pub(super) struct Gate {
    open: bool,
    reached: AtomicBool,
}

impl Gate {
    /// What is valid runs.
    pub(super) const fn open() -> Self {
        Self { open: true, reached: AtomicBool::new(false) }
    }

    /// Nothing runs: the document is validated only.
    pub(super) const fn shut() -> Self {
        Self { open: false, reached: AtomicBool::new(false) }
    }

    /// A valid document has come: may it run?
    pub(super) fn lets_through(&self) -> bool {
        self.reached.store(true, Ordering::Release);
        self.open
    }

    /// Has the document turned out to be valid?
    pub(super) fn was_reached(&self) -> bool {
        self.reached.load(Ordering::Acquire)
    }
}
