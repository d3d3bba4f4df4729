//! Panics as lines of the log. The standard hook writes to standard error itself, and would wait
//! for whoever reads that.

use std::panic::{PanicHookInfo, set_hook};

/// From now on, a panic is logged in one line.
pub(super) fn log_panics() {
    set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map(tracing::field::display);
        let message = info.payload_as_str().unwrap_or("without a message");
        let thread = std::thread::current();
        tracing::error!(place, thread = thread.name(), "panicked: {message}");
    }));
}
