//! The signals that end a server.

use tokio::signal::unix::{SignalKind, signal};

/// Ready at the first SIGTERM or SIGINT. Without a handler the process would end at once, so failing to
/// install one ends the server instead of ignoring it.
pub(super) async fn signalled() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("signals cannot be handled");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
