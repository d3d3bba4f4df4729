//! The log's own thread. Nothing that logs waits for whoever reads the log: lines wait in a bounded
//! queue, and where it is full, they are lost and counted.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

use crate::metrics::LOST_LOG_LINES;

/// Lines that may wait; some 2 MiB.
const MAX_LINES: usize = 4096;
/// How often lost lines are looked for, and counted among the metrics.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long lines come together, where they come fast.
const GATHER: Duration = Duration::from_millis(5);
/// Bytes that are written at once, at the latest.
const MOST_GATHERED: usize = 64 * 1024;

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
    let (queue, worker) = builder.thread_name("log").finish(Gathering::into(writer));
    let lost = queue.error_counter();
    let guard = || {
        let (stop, stopped) = channel();
        let watch = thread::Builder::new().name("log-watch".to_owned());
        let watch = watch.spawn(move || report_lost(&lost, &stopped));
        LogGuard { watch: watch.ok().map(|watch| (stop, watch)), _worker: worker }
    };
    (queue, guard)
}

/// Writes many lines at once where they come fast. To wake the log's thread for a line costs the
/// thread that logs more than to write it would; while it rests, a line costs nothing but its place
/// in the queue.
struct Gathering<W> {
    writer: W,
    lines: Vec<u8>,
    written: Option<Instant>,
}

impl<W: Write> Gathering<W> {
    fn into(writer: W) -> Self {
        Self { writer, lines: Vec::new(), written: None }
    }

    fn write_out(&mut self) -> io::Result<()> {
        let written = self.writer.write_all(&self.lines).and_then(|()| self.writer.flush());
        // What cannot be written is lost, as there is nobody to tell.
        self.lines.clear();
        written
    }
}

impl<W: Write> Write for Gathering<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines.extend_from_slice(line);
        if self.lines.len() >= MOST_GATHERED {
            self.write_out()?;
        }
        Ok(line.len())
    }

    /// Called when the queue is empty.
    fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        if self.written.is_some_and(|before| before.elapsed() < GATHER) {
            thread::sleep(GATHER);
        }
        self.written = Some(Instant::now());
        Ok(())
    }
}

/// Says how many lines were lost, once there is room in the queue for saying so.
fn report_lost(lost: &ErrorCounter, stopped: &Receiver<()>) {
    let mut reported = 0;
    loop {
        let ended = stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout);
        let now = lost.dropped_lines();
        LOST_LOG_LINES.set(u64::try_from(now).unwrap_or(u64::MAX));
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
