//! Traces that began elsewhere, or go on there: W3C Trace Context
//! (<https://www.w3.org/TR/trace-context/>).

use opentelemetry::Context;
use opentelemetry::context::{FutureExt, WithContext};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
/// The longest `tracestate` that is handed on (section 3.3.1.5).
const MAX_STATE: usize = 512;

/// The headers that say to which trace a request belongs.
#[derive(Debug, Clone, Copy)]
pub struct Parent<'a> {
    /// `traceparent`.
    pub traceparent: &'a str,
    /// `tracestate`, if there is one.
    pub tracestate: Option<&'a str>,
}

impl Parent<'_> {
    /// Makes it the parent of a span that has not begun. A malformed one counts as none.
    pub(super) fn of(self, span: &Span) {
        let parent = TraceContextPropagator::new().extract(&self);
        if parent.has_active_span() {
            // Only a span that has begun cannot have it.
            let _set = span.set_parent(parent);
        }
    }
}

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => Some(self.traceparent),
            TRACESTATE => self.tracestate.filter(|state| state.len() <= MAX_STATE),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

/// The value of `traceresponse`, by which whoever asked finds the trace
/// (<https://www.w3.org/TR/trace-context-2/>); none where traces are off.
pub fn traceresponse(request: &Span) -> Option<String> {
    if request.is_disabled() {
        return None;
    }
    let context = request.context();
    let span = context.span();
    let known = span.span_context();
    known.is_valid().then(|| {
        format!("00-{}-{}-{:02x}", known.trace_id(), known.span_id(), known.trace_flags().to_u8())
    })
}

/// Does what runs here belong to a trace that is kept?
pub(super) fn is_sampled() -> bool {
    Context::map_current(|context| context.span().span_context().is_sampled())
}

/// Work that goes on in another task, within the trace of whoever hands it over.
pub fn carried<F: Future>(work: F) -> WithContext<F> {
    work.with_current_context()
}
