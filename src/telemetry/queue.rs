//! The log's own thread. Nothing that logs waits for whoever reads the log: lines wait in a bounded
//! queue, and where it is full, they are lost and counted.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// Lines that may wait; some 2 MiB.
const MAX_LINES: usize = 4096;
/// How often lost lines are looked for.
const INTERVAL: Duration = Duration::from_secs(1);

/// Keeps the log going. When it is dropped, the lines that wait are written, for a second at most.
pub struct LogGuard {
    watch: Option<(Sender<()>, JoinHandle<()>)>,
    _worker: WorkerGuard,
}

/// A writer that never waits, and what keeps it going.
pub(super) fn never_waiting(
    writer: impl Write + Send + 'static,
) -> (NonBlocking, impl FnOnce() -> LogGuard) {
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(MAX_LINES);
    let (queue, worker) = builder.thread_name("log").finish(writer);
    let lost = queue.error_counter();
    let guard = || {
        let (stop, stopped) = channel();
        let watch = thread::Builder::new().name("log-watch".to_owned());
        let watch = watch.spawn(move || report_lost(&lost, &stopped));
        LogGuard { watch: watch.ok().map(|watch| (stop, watch)), _worker: worker }
    };
    (queue, guard)
}

/// Says how many lines were lost, once there is room in the queue for saying so.
fn report_lost(lost: &ErrorCounter, stopped: &Receiver<()>) {
    let mut reported = 0;
    loop {
        let ended = stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout);
        let now = lost.dropped_lines();
        if now != reported {
            tracing::warn!(lines = now - reported, "lines of the log were lost: nothing read them");
            if lost.dropped_lines() == now {
                reported = now;
            }
        }
        if ended {
            return;
        }
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        if let Some((stop, watch)) = self.watch.take() {
            drop(stop);
            let _panicked = watch.join();
        }
    }
}
