//! The families that are ours. `docs/metrics.md` lists them.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::families::{Families, Labels, each, each_pair, each_time};
use crate::domain::clock::Instant;
use crate::metrics::{
    Census, EXPORTED_SPANS, LOST_LOG_LINES, LOST_SPANS, Label, Levels, Metrics, PoolLevel,
};
use crate::surface::Connections;

/// All numbers at one moment.
pub(super) struct Numbers {
    pub(super) metrics: Arc<Metrics>,
    pub(super) connections: Arc<Connections>,
    pub(super) levels: Levels,
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numbers(..)")
    }
}

impl Collector for Numbers {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families(encoder);
        self.build(&mut families)?;
        self.requests(&mut families)?;
        self.connections(&mut families)?;
        self.secrets(&mut families)?;
        self.database(&mut families)?;
        self.background(&mut families)?;
        telemetry(&mut families)?;
        self.metrics.census.get().map_or(Ok(()), |census| tokens(&mut families, census))
    }
}

impl Numbers {
    fn build(&self, families: &mut Families<'_>) -> fmt::Result {
        let labels = [("version", env!("CARGO_PKG_VERSION")), ("database", self.levels.database)];
        families.info("build", "The version that runs, and the kind of its database.", &labels)
    }

    fn requests(&self, families: &mut Families<'_>) -> fmt::Result {
        const LABELS: [&str; 2] = ["endpoint", "status"];
        let requests = &self.metrics.requests;
        families.counter(
            "requests",
            "Requests that were answered, by what they asked and the class of the status.",
            each_pair(LABELS, |pair| requests.get(pair).count),
        )?;
        families.histogram(
            "request_duration_seconds",
            "Time from the head of a request to that of its answer.",
            each_pair(LABELS, |pair| requests.get(pair)),
        )?;
        families.counter(
            "malformed_requests",
            "Refused before there was a request: no HTTP, a head that is too large or too slow.",
            [([], self.metrics.not_requests.get(()))],
        )
    }

    fn connections(&self, families: &mut Families<'_>) -> fmt::Result {
        let connections = &self.connections;
        families.level(
            "connections_open",
            "Connections of clients, over HTTP and gRPC.",
            Some(number(connections.open_now())),
        )?;
        families.level(
            "connections_limit",
            "The most connections that may be open: max-connections.",
            Some(number(connections.most())),
        )?;
        families.counter(
            "connections_refused",
            "Connections that were closed at once, because there were too many.",
            [([], connections.refused())],
        )?;
        families.level(
            "sockets_open",
            "WebSockets for subscriptions, with a token.",
            Some(number(self.levels.sockets)),
        )?;
        let Some(until) = self.metrics.certificate.get() else { return Ok(()) };
        families.level(
            "tls_certificate_expiry_timestamp_seconds",
            "When the certificate that clients are shown expires.",
            Some(seconds(until)),
        )?;
        families.counter(
            "tls_handshakes",
            "Handshakes of TLS.",
            each("result", &self.metrics.handshakes),
        )
    }

    fn secrets(&self, families: &mut Families<'_>) -> fmt::Result {
        families.counter(
            "verifications",
            "Decisions on secrets, by who was shown them. `caller`: by callers of this server.",
            each_pair(["surface", "outcome"], |pair| self.metrics.verifications.get(pair)),
        )?;
        families.counter(
            "proofs",
            "How secrets were compared with stored hashes. `refused`: too many waited.",
            each("result", &self.metrics.proofs),
        )?;
        families.histogram(
            "hashing_duration_seconds",
            "Time to compute a bcrypt hash, with the wait for its turn.",
            each_time("purpose", &self.metrics.hashing),
        )?;
        let hashing = self.levels.hashing.iter();
        families.gauge(
            "hashing_queue_length",
            "bcrypt hashes that are computed or wait for it.",
            hashing.map(|(purpose, length)| ([("purpose", purpose.as_str())], number(*length))),
        )
    }

    fn database(&self, families: &mut Families<'_>) -> fmt::Result {
        families.histogram(
            "database_operation_duration_seconds",
            "Time of operations of the database, with the wait for a connection.",
            each_time("kind", &self.metrics.database_operations),
        )?;
        families.histogram(
            "database_wait_duration_seconds",
            "Time until there was a connection, or the wait was given up.",
            each_time("kind", &self.metrics.database_waits),
        )?;
        families.counter(
            "database_failures",
            "Operations of the database that failed.",
            each("reason", &self.metrics.database_failures),
        )?;
        families.counter(
            "retries",
            "What was begun again within a request.",
            each("operation", &self.metrics.retries),
        )?;
        let pools = &self.levels.pools;
        families.gauge(
            "database_connections",
            "Open connections to the database.",
            pools.iter().flat_map(|pool| {
                let PoolLevel { pool, in_use, idle, .. } = *pool;
                [("in_use", in_use), ("idle", idle)]
                    .map(|(state, count)| ([("pool", pool), ("state", state)], number(count)))
            }),
        )?;
        families.gauge(
            "database_connections_limit",
            "The most connections to the database that may be open.",
            pools.iter().map(|pool| (of(pool), number(pool.most))),
        )?;
        families.gauge(
            "database_operations_waiting",
            "Operations that wait for a connection.",
            pools.iter().map(|pool| (of(pool), number(pool.waiting))),
        )?;
        families.level(
            "database_disk_free_bytes",
            "Free space on the disk of the SQLite file.",
            self.levels.free_space.map(large),
        )
    }

    fn background(&self, families: &mut Families<'_>) -> fmt::Result {
        families.counter(
            "background_failures",
            "What could not be done beside the requests. It is tried again.",
            each("duty", &self.metrics.duty_failures),
        )?;
        families.counter(
            "audit_events_removed",
            "Audit events that were removed because of audit-retention.",
            [([], self.metrics.removed_events.get(()))],
        )?;
        families.counter(
            "audit_log_events",
            "Audit events that were written to audit-log.",
            [([], self.metrics.logged_events.get(()))],
        )?;
        families.level(
            "audit_log_pending_timestamp_seconds",
            "The date of the oldest audit event that is not in audit-log yet.",
            self.metrics.unlogged_event.get().flatten().map(seconds),
        )?;
        families.level(
            "last_uses_pending",
            "Tokens whose last use is not stored yet.",
            Some(number(self.levels.last_uses)),
        )
    }
}

fn telemetry(families: &mut Families<'_>) -> fmt::Result {
    families.counter(
        "log_lines_lost",
        "Lines of the log that were lost because nothing read them.",
        [([], LOST_LOG_LINES.get())],
    )?;
    families.counter(
        "trace_spans_exported",
        "Spans of traces that the collector has taken.",
        [([], EXPORTED_SPANS.get())],
    )?;
    families.counter(
        "trace_spans_lost",
        "Spans of traces that the collector did not take, or for which there was no room.",
        [([], LOST_SPANS.get())],
    )
}

fn tokens(families: &mut Families<'_>, census: Census) -> fmt::Result {
    let Census { at, active, disabled, expired, expiring, next_expiry } = census;
    families.gauge(
        "tokens",
        "Tokens that are not deleted, counted every few minutes.",
        [("active", active), ("disabled", disabled), ("expired", expired)]
            .map(|(status, count)| ([("status", status)], large(count))),
    )?;
    families.gauge(
        "tokens_expiring",
        "Active tokens that expire within this time, counted every few minutes.",
        expiring.map(|(days, count)| ([("within", within(days))], large(count))),
    )?;
    families.level(
        "next_expiry_timestamp_seconds",
        "When the next active token expires.",
        next_expiry.map(seconds),
    )?;
    families.level(
        "tokens_counted_timestamp_seconds",
        "When the tokens were counted.",
        Some(seconds(at)),
    )
}

const fn of(pool: &PoolLevel) -> Labels<1> {
    [("pool", pool.pool)]
}

const fn within(days: u16) -> &'static str {
    match days {
        1 => "1d",
        7 => "7d",
        30 => "30d",
        _ => "other",
    }
}

/// Seconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "microseconds are exact for the next 280 years")]
fn seconds(instant: Instant) -> f64 {
    instant.timestamp_micros() as f64 / 1e6
}

fn number(count: usize) -> f64 {
    large(u64::try_from(count).unwrap_or(u64::MAX))
}

/// Prometheus has no other numbers: above 2^53 they are rounded.
#[expect(clippy::cast_precision_loss, reason = "it is meant")]
const fn large(count: u64) -> f64 {
    count as f64
}
