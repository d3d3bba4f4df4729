//! SIGTERM and SIGINT, from the start of a command on.
//!
//! Linux has no default action for the first process of a container: a signal that it does not
//! handle is lost, and whoever stops the container waits in vain.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CliError;

/// The number of the first process.
const FIRST: u32 = 1;

/// SIGTERM and SIGINT; from now on they do not end the process.
pub(super) struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    /// # Errors
    /// When they cannot be handled.
    pub(super) fn handle() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { terminate, interrupt })
    }

    /// Waits for one, and says which.
    pub(super) async fn asked(&mut self) -> (&'static str, SignalKind) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", SignalKind::terminate()),
            _ = self.interrupt.recv() => ("SIGINT", SignalKind::interrupt()),
        }
    }

    /// Does the work, unless one comes first: then the work is dropped. It is a task, because a step
    /// that blocks its thread would keep the signal waiting; such a step ends with the runtime.
    ///
    /// # Errors
    /// Those of the work, and [`CliError::Stopped`].
    pub(super) async fn unless_asked<T>(
        &mut self,
        work: impl Future<Output = Result<T, CliError>> + Send + 'static,
    ) -> Result<T, CliError>
    where
        T: Send + 'static,
    {
        let mut working = tokio::spawn(work);
        tokio::select! {
            done = &mut working => done.map_err(std::io::Error::from)?,
            (name, kind) = self.asked() => {
                working.abort();
                Err(CliError::Stopped(name, kind.as_raw_value()))
            }
        }
    }
}

/// Runs a command that is no server. Where there is a default action, it ends the process, and
/// whoever started it learns that a signal did: a shell also ends the loop around it.
///
/// # Errors
/// Those of the command, and [`CliError::Stopped`].
pub(super) async fn stoppable(
    command: impl Future<Output = Result<(), CliError>> + Send + 'static,
) -> Result<(), CliError> {
    if std::process::id() == FIRST {
        EndSignals::handle()?.unless_asked(command).await
    } else {
        command.await
    }
}
