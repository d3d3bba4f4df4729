//! The signals that a server handles.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::surface::Tls;

/// From now on these signals do not end the process. What is returned is ready at the first SIGTERM
/// or SIGINT. SIGHUP, which a closed terminal or a log rotation sends too, has the certificate read
/// again, if there is one. Call it before the server announces itself.
///
/// # Errors
/// When they cannot be handled.
pub(super) fn signals(tls: Option<Arc<Tls>>) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                _ = hang_up.recv() => match &tls {
                    Some(tls) => tls.ask_reload(),
                    None => tracing::info!("SIGHUP is ignored"),
                },
            }
        }
    })
}
