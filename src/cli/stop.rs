//! The signals that end a server.

use tokio::signal::unix::{SignalKind, signal};

/// From now on these signals end the process no more; what is returned is ready at the first SIGTERM or
/// SIGINT. To be called before anybody is told that the server is there.
///
/// # Errors
/// When they cannot be handled.
pub(super) fn signals() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
