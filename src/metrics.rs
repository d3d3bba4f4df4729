//! What the program counts about itself, for operators. The layers add to these numbers where
//! things happen, and know nothing of who reads them; `http::metrics` writes them for Prometheus.
//!
//! Adding costs one or two atomic additions, on numbers that few threads share: no lock, and
//! nothing is allocated. What something is counted under is always one of a few words that are
//! known in advance, so no client decides how many numbers there are.

mod census;
mod count;
mod duration;
mod label;
mod labels;
mod levels;
mod process;
mod sharded;
mod verification;

pub use census::{Census, Latest};
pub use count::Counters;
pub use duration::{BOUNDS, Durations, Measured, Timing};
pub use label::{Key, Label};
pub use labels::{
    DatabaseFailure, DatabaseUse, Duty, Endpoint, Handshake, Hashing, ProofResult, Retry,
    StatusClass,
};
pub use levels::{Levels, PoolLevel};
pub use process::{EXPORTED_SPANS, LOST_LOG_LINES, LOST_SPANS, Total};
pub use verification::{Outcome, Surface};

use crate::domain::clock::Instant;

/// All numbers of one server.
#[derive(Debug, Default)]
pub struct Metrics {
    /// How long requests took, up to the head of the answer.
    pub requests: Durations<(Endpoint, StatusClass)>,
    /// What was decided on presented secrets.
    pub verifications: Counters<(Surface, Outcome)>,
    /// How secrets were proven.
    pub proofs: Counters<ProofResult>,
    /// How long hashes were waited for and computed.
    pub hashing: Durations<Hashing>,
    /// How long connections to the database were waited for.
    pub database_waits: Durations<DatabaseUse>,
    /// How long operations of the database took, with the wait.
    pub database_operations: Durations<DatabaseUse>,
    /// Operations of the database that failed.
    pub database_failures: Counters<DatabaseFailure>,
    /// What was begun again within a request.
    pub retries: Counters<Retry>,
    /// What background duties could not do.
    pub duty_failures: Counters<Duty>,
    /// Audit events that were removed because of their age.
    pub removed_events: Counters<()>,
    /// Audit events that were written to the audit log.
    pub logged_events: Counters<()>,
    /// The date of the oldest event that is not in the audit log yet, if this instance writes it.
    pub unlogged_event: Latest<Option<Instant>>,
    /// What came on a connection and was no request: it was refused before any was read.
    pub not_requests: Counters<()>,
    /// How many tokens there are.
    pub census: Latest<Census>,
    /// Handshakes of TLS.
    pub handshakes: Counters<Handshake>,
    /// When the certificate of the listeners expires.
    pub certificate: Latest<Instant>,
}
