//! `tokenwright serve`: production.

use clap::Args;

use super::CliError;
use super::end_signals::EndSignals;
use super::process::{forbid_dumps, raise_descriptors};
use super::server::{self, ServerArgs};
use crate::config::boolean;
use crate::graphql::Introspection;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Apply the migrations first; safe when several start at once.
    #[arg(
        long,
        env = "TOKENWRIGHT_MIGRATE",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "false",
        value_parser = boolean
    )]
    pub(super) migrate: bool,

    #[command(flatten)]
    pub(super) server: ServerArgs,
}

pub(super) async fn run(args: ServeArgs) -> Result<(), CliError> {
    forbid_dumps();
    let descriptors = raise_descriptors();
    let ServeArgs { migrate, server } = args;
    let http = server.http_settings(Introspection::Authenticated, false, descriptors);
    let delay = server.http.shutdown_delay;
    let mut end = EndSignals::handle()?;
    let building = async move { server.build(http, migrate).await };
    let Some(app) = server::started(&mut end, building).await? else { return Ok(()) };
    server::run(app, end, delay).await
}
