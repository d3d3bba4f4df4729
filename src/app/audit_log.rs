//! Writing the audit log, beside everything else: what waits for a disk or a reader is this alone.

mod sink;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::StartError;
use crate::db::DbError;
use crate::domain::audit::Lines;
use crate::domain::cursor::Position;
use crate::metrics::Duty;
use crate::service::{EXPORT_PAGE, HELD, Service};

pub use sink::AuditLogSink;

/// How often new events are looked for.
const TICK: Duration = Duration::from_secs(1);
/// The longest pause after failures in a row.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long the end of the server waits for the last events; the next start writes them otherwise.
const LAST: Duration = Duration::from_secs(2);

/// What writes the audit log.
pub(super) struct AuditLog {
    service: Arc<Service>,
    sink: Arc<AuditLogSink>,
    holder: Uuid,
    held: Option<Held>,
    pause: Duration,
}

/// The audit log is ours.
struct Held {
    /// It is written up to here.
    place: Position,
    /// When it was claimed last.
    since: Instant,
}

/// Why events are not written yet.
#[derive(Debug, thiserror::Error)]
enum Unwritten {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("{0}")]
    Sink(#[from] io::Error),
}

impl AuditLog {
    /// Claims the audit log before there are requests: the very first time, it begins with what is
    /// recorded from here on.
    pub(super) async fn begin(
        service: Arc<Service>,
        sink: AuditLogSink,
    ) -> Result<Self, StartError> {
        let holder = service.audit_log_holder()?;
        let since = Instant::now();
        let place = service.claim_audit_log(holder).await?;
        let held = place.map(|place| Held { place, since });
        Ok(Self { service, sink: Arc::new(sink), holder, held, pause: TICK })
    }

    pub(super) const fn sink(&self) -> &Arc<AuditLogSink> {
        &self.sink
    }

    /// Writes new events over and over until `stop` is cancelled, and then the last ones.
    pub(super) async fn keep(mut self, stop: CancellationToken) {
        loop {
            let is_last = stop.is_cancelled();
            let written = tokio::select! {
                written = self.write() => written,
                () = too_late(&stop) => break,
            };
            self.note(written);
            if is_last {
                break;
            }
            tokio::select! {
                () = sleep(self.pause) => {}
                () = stop.cancelled() => {}
            }
        }
        self.service.release_audit_log(self.holder).await;
    }

    /// Writes all events that are not written yet, if no other instance does.
    async fn write(&mut self) -> Result<(), Unwritten> {
        let metrics = Arc::clone(self.service.metrics());
        let is_fresh = |held: &Held| held.since.elapsed() < HELD / 2;
        let mut held = match self.held.take().filter(is_fresh) {
            Some(held) => held,
            None => {
                let since = Instant::now();
                match self.service.claim_audit_log(self.holder).await? {
                    Some(place) => Held { place, since },
                    None => {
                        metrics.unlogged_event.set(None);
                        return Ok(());
                    }
                }
            }
        };
        loop {
            let rows = self.service.export_audit_events(Some(&held.place)).await?;
            metrics.unlogged_event.set(rows.first().map(|row| row.value.date));
            let count = rows.len();
            let lines = Lines::of(rows.iter().map(|row| &row.value))?;
            let Some(last) = rows.into_iter().next_back() else { break };
            self.sink.write(lines).await?;
            let (holder, date, id) = (self.holder, last.value.date, last.value.id);
            let since = Instant::now();
            if !self.service.move_audit_log(holder, date, id).await? {
                metrics.unlogged_event.set(None);
                return Ok(());
            }
            held = Held { place: last.position, since };
            metrics.logged_events.add((), u64::try_from(count).unwrap_or(u64::MAX));
            if count < EXPORT_PAGE {
                metrics.unlogged_event.set(None);
                break;
            }
        }
        self.held = Some(held);
        Ok(())
    }

    fn note(&mut self, written: Result<(), Unwritten>) {
        match written {
            Ok(()) => self.pause = TICK,
            Err(error) => {
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                self.service.metrics().duty_failures.count(Duty::AuditLog);
                tracing::warn!(%error, "events are not in the audit log yet");
            }
        }
    }
}

/// Returns once the last events should have been written.
async fn too_late(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(LAST).await;
}
