//! The log, on standard error, and the export of traces.

mod panics;
mod plain_lines;
mod queue;
mod traces;

use std::io::IsTerminal;

use tokio::runtime::Handle;
use tracing::Level;
use tracing::metadata::Metadata;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use self::plain_lines::{PlainFields, PlainLines};
pub use self::queue::LogGuard;
pub use self::traces::{TraceGuard, TracesError};
use crate::config::{LogArgs, LogFormat, TracesArgs};
use crate::trace;

/// The log filter cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the log filter cannot be read: {0}")]
pub struct InvalidFilter(#[from] tracing_subscriber::filter::ParseError);

/// Why there is no telemetry.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log cannot begin.
    #[error(transparent)]
    Log(#[from] InvalidFilter),
    /// Traces cannot be exported.
    #[error(transparent)]
    Traces(#[from] TracesError),
}

/// Starts the log of this process, panics included, and the export of traces where `traces` names a
/// collector; `runtime` sends them. Drop the guard of the traces while that runs, and the one of the
/// log at the very end: what waits is sent and written then.
///
/// # Errors
/// When the filter cannot be read, or traces cannot be exported.
pub fn start(
    log: &LogArgs,
    traces: Option<&TracesArgs>,
    runtime: &Handle,
) -> Result<(LogGuard, Option<TraceGuard>), TelemetryError> {
    let (queue, keep) = queue::never_waiting(std::io::stderr());
    let mut layers = vec![layer(log, with_colours(), queue)?];
    let exporting = match traces {
        Some(settings) => traces::exporting(settings, runtime)?,
        None => None,
    };
    let guard = exporting.map(|exporting| {
        layers.push(exporting.layer);
        exporting.guard
    });
    // A process starts its log once; an existing one stays.
    let _already_there = tracing_subscriber::registry().with(layers).try_init();
    panics::log_panics();
    Ok((keep(), guard))
}

/// Colours are for terminals that support them, unless the user opts out: <https://no-color.org>,
/// <https://bixense.com/clicolors>. A file or a pipe never gets any.
fn with_colours() -> bool {
    std::io::stderr().is_terminal()
        && anstyle_query::term_supports_ansi_color()
        && !anstyle_query::no_color()
        && anstyle_query::clicolor().unwrap_or(true)
}

/// The whole log as one layer over any writer.
///
/// # Errors
/// When the filter cannot be read.
pub fn layer<W>(
    log: &LogArgs,
    ansi: bool,
    writer: W,
) -> Result<Box<dyn Layer<Registry> + Send + Sync>, InvalidFilter>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // One filter: of two in a row, each alone lets a span be made that is then written nowhere.
    let filter = EnvFilter::builder().parse(&log.log)?.and(filter_fn(is_for_operators));
    let lines = fmt::layer().with_ansi(ansi).with_writer(writer);
    Ok(match log.log_format {
        LogFormat::Text if ansi => lines.with_filter(filter).boxed(),
        LogFormat::Text => {
            let plain = lines.event_format(PlainLines::default()).fmt_fields(PlainFields);
            plain.with_filter(filter).boxed()
        }
        LogFormat::Json => lines.json().with_filter(filter).boxed(),
    })
}

/// Below `info`, only our own code logs, whatever the filter says. Others log what they handle:
/// tokio-postgres the parameters of queries, HTTP libraries whole heads. actix-server logs at
/// `info` how it starts its threads, which does not help an operator. actix-http logs as an error
/// what any client can send, without the client's address; our own sockets count that. Spans of
/// traces are not for the log.
fn is_for_operators(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    if target.starts_with("actix_http") || target == trace::TARGET {
        return false;
    }
    let most = if target.starts_with("actix_server") { Level::WARN } else { Level::INFO };
    target.starts_with("tokenwright") || *metadata.level() <= most
}
