//! Where Prometheus asks.

use clap::Args;

use super::listen::ListenAddress;

/// Settings of the metrics.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsArgs {
    /// Where to listen for Prometheus, which asks `/metrics`; port 0 takes a free one. Whoever can
    /// reach it reads it, so keep it off public networks. Off unless set.
    #[arg(long, env = "TOKENWRIGHT_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<ListenAddress>,
}
