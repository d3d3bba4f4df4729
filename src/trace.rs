//! Spans of traces: what happens within a request, for the collector that `otlp-endpoint` names.
//!
//! They are not the spans of the log. They have a target of their own, which the log leaves out and
//! only the exporter takes ([`telemetry`](crate::telemetry)); where traces are off, making one costs
//! a comparison. What they say is chosen here, in one place: words of ours, numbers, and the id of
//! the request. No text of a client, no id of a token and no address is among it, so no secret can be.

mod context;

use std::borrow::Cow;

use tracing::field::Empty;
use tracing::{Level, Span};

use crate::metrics::{DatabaseUse, Label, Outcome, ProofResult};

pub use context::{Parent, carried, traceresponse};

/// The target of these spans.
pub const TARGET: &str = "tokenwright::trace";

/// What is known of a request at its start.
#[derive(Debug, Clone)]
pub struct Start<'a> {
    /// A method that HTTP has, or `-`.
    pub method: &'a str,
    /// The route that the path matched, not the path itself; `None`: it matched none.
    pub route: Option<Cow<'a, str>>,
    /// The id that the log and the audit have, too.
    pub request_id: &'a str,
    /// What a trusted proxy says of the trace so far.
    pub parent: Option<Parent<'a>>,
}

/// The span of a request; `start` is asked if traces are on. Without a parent it begins a trace.
pub fn request<'a>(start: impl FnOnce() -> Start<'a>) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.kind = "server",
        otel.name = Empty,
        otel.status_code = Empty,
        http.request.method = Empty,
        http.response.status_code = Empty,
        http.route = Empty,
        tokenwright.request_id = Empty,
    );
    if !span.is_disabled() {
        let Start { method, route, request_id, parent } = start();
        let route = route.as_deref().unwrap_or("-");
        span.record("otel.name", format!("{method} {route}"));
        span.record("http.request.method", method);
        span.record("http.route", route);
        span.record("tokenwright.request_id", request_id);
        if let Some(parent) = parent {
            parent.of(&span);
        }
    }
    span
}

/// Writes the status of the answer into the span of a request.
pub fn answered(request: &Span, status: u16) {
    request.record("http.response.status_code", status);
    // A refusal is no failure of the server (OpenTelemetry's conventions for HTTP spans).
    if status >= 500 {
        request.record("otel.status_code", "ERROR");
    }
}

/// Is there a trace that is kept? Nothing else has spans within.
fn is_kept() -> bool {
    tracing::span_enabled!(target: TARGET, Level::INFO) && context::is_sampled()
}

/// The span of judging secrets that were shown.
pub fn judging() -> Span {
    if !is_kept() {
        return Span::none();
    }
    tracing::info_span!(target: TARGET, "judge", tokenwright.outcome = Empty)
}

/// Writes what became of a secret; `None`: it is valid, and what it may be used for comes later.
pub fn judged(judging: &Span, refused: Option<Outcome>) {
    judging.record("tokenwright.outcome", refused.map_or("valid", Label::as_str));
}

/// The span of proving a secret.
pub fn proving() -> Span {
    if !is_kept() {
        return Span::none();
    }
    tracing::info_span!(target: TARGET, "prove", tokenwright.result = Empty)
}

/// Writes how a secret was proven.
pub fn proven(proving: &Span, result: ProofResult) {
    proving.record("tokenwright.result", result.as_str());
}

/// The span of an operation of the database, until it is dropped. It has the module of the query, and
/// neither its text nor its variables.
pub fn database(system: &'static str, used_for: DatabaseUse, module: &'static str) -> Span {
    if !is_kept() {
        return Span::none();
    }
    tracing::info_span!(
        target: TARGET,
        "database",
        otel.kind = "client",
        db.system.name = system,
        tokenwright.database.use = used_for.as_str(),
        code.namespace = module,
    )
}
