//! The log, on standard error.

use std::io::IsTerminal;

use tracing::Level;
use tracing::metadata::Metadata;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config::{LogArgs, LogFormat};

/// The log filter cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the log filter cannot be read: {0}")]
pub struct InvalidFilter(#[from] tracing_subscriber::filter::ParseError);

/// Starts the log of this process.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(log: &LogArgs) -> Result<(), InvalidFilter> {
    let ansi = std::io::stderr().is_terminal();
    let layer = layer(log, ansi, std::io::stderr)?;
    // A process starts its log once; if one is there already, it stays.
    let _already_there = tracing_subscriber::registry().with(layer).try_init();
    Ok(())
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
    let filter = EnvFilter::builder().parse(&log.log)?;
    let lines = fmt::layer().with_ansi(ansi).with_writer(writer);
    Ok(match log.log_format {
        LogFormat::Text => {
            lines.with_filter(filter).with_filter(filter_fn(is_ours_or_coarse)).boxed()
        }
        LogFormat::Json => {
            lines.json().with_filter(filter).with_filter(filter_fn(is_ours_or_coarse)).boxed()
        }
    })
}

/// Below `info`, only our own code speaks, whatever the filter says. Others log what they handle:
/// tokio-postgres the parameters of queries, HTTP libraries whole heads.
fn is_ours_or_coarse(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("tokenwright") || *metadata.level() <= Level::INFO
}
