//! Export of traces, by OTLP over HTTP. Nothing that is traced waits for the collector: spans wait in
//! a bounded queue. Where it is full, or the collector does not take them, they are lost and counted.

mod collector;
mod counted;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};

use self::collector::Collector;
use self::counted::{Bounded, Counted};
use crate::config::TracesArgs;
use crate::trace::TARGET;

/// Spans that may wait, some 2 MiB; and how many of them are sent together.
const MAX_SPANS: usize = 4096;
const BATCH: usize = 512;
/// The longest time until spans are sent.
const DELAY: Duration = Duration::from_secs(1);
/// The longest time for the last ones, at the end of the process.
const END: Duration = Duration::from_secs(2);

/// Traces cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The settings of OpenTelemetry in the environment cannot be used.
    #[error("traces cannot be exported: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// TLS cannot be set up.
    #[error("traces cannot be exported: {0}")]
    Tls(#[from] rustls::Error),
}

/// Keeps the export going. When it is dropped, the spans that wait are sent, for two seconds at most.
pub struct TraceGuard(SdkTracerProvider);

/// An export that has begun.
pub(super) struct Exporting {
    /// What takes the spans.
    pub(super) layer: Box<dyn Layer<Registry> + Send + Sync>,
    /// What keeps it going.
    pub(super) guard: TraceGuard,
}

/// Begins the export, if the settings name a collector.
pub(super) fn exporting(
    settings: &TracesArgs,
    runtime: &Handle,
) -> Result<Option<Exporting>, TracesError> {
    let Some(collector) = &settings.otlp_endpoint else { return Ok(None) };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector::new(runtime.clone())?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(collector.traces())
        .build()?;
    let waiting = Arc::<AtomicUsize>::default();
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(MAX_SPANS)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(DELAY);
    let batches = BatchSpanProcessor::builder(Counted::new(exporter, Arc::clone(&waiting)))
        .with_batch_config(config.build())
        .build();
    let ratio = Sampler::TraceIdRatioBased(settings.otlp_sample_ratio.0);
    let provider = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_sampler(Sampler::ParentBased(Box::new(ratio)))
        .with_span_processor(Bounded::new(batches, waiting, MAX_SPANS))
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("tokenwright"))
        .with_location(false)
        .with_threads(false)
        .with_level(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    let ours = filter_fn(|metadata| metadata.is_span() && metadata.target() == TARGET);
    let layer = layer.with_filter(ours.with_max_level_hint(LevelFilter::INFO));
    Ok(Some(Exporting { layer: layer.boxed(), guard: TraceGuard(provider) }))
}

/// Who sends the spans. `OTEL_RESOURCE_ATTRIBUTES` adds to it.
fn resource() -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", "tokenwright"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .with_detector(Box::new(EnvResourceDetector::new()))
        .build()
}

impl Drop for TraceGuard {
    fn drop(&mut self) {
        // What is not sent by then is lost.
        let _late = self.0.shutdown_with_timeout(END);
    }
}
