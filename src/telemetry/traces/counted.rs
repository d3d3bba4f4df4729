//! What becomes of spans, in numbers: the SDK does not say how many it drops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

use crate::metrics::{EXPORTED_SPANS, LOST_SPANS};

/// The queue, whose bound is kept in front of it, where what does not fit is counted.
#[derive(Debug)]
pub(super) struct Bounded {
    queue: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    most: usize,
}

impl Bounded {
    /// `waiting` goes down as the exporter takes spans; the queue itself must hold `most`.
    pub(super) const fn new(
        queue: BatchSpanProcessor,
        waiting: Arc<AtomicUsize>,
        most: usize,
    ) -> Self {
        Self { queue, waiting, most }
    }
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.queue.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            LOST_SPANS.add(1);
            return;
        }
        self.queue.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// An exporter that counts.
#[derive(Debug)]
pub(super) struct Counted {
    exporter: Otlp,
    waiting: Arc<AtomicUsize>,
    /// Has the last batch failed?
    failing: AtomicBool,
}

impl Counted {
    pub(super) const fn new(exporter: Otlp, waiting: Arc<AtomicUsize>) -> Self {
        Self { exporter, waiting, failing: AtomicBool::new(false) }
    }
}

impl SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        let number = u64::try_from(spans).unwrap_or(u64::MAX);
        match &exported {
            Ok(()) => {
                EXPORTED_SPANS.add(number);
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the collector takes traces again");
                }
            }
            Err(error) => {
                LOST_SPANS.add(number);
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, spans, "the collector does not take traces");
                }
            }
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
