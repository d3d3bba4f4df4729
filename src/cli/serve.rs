//! `tokenwright serve`: production.

use clap::Args;

use super::CliError;
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
    migrate: bool,

    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: ServeArgs) -> Result<(), CliError> {
    forbid_dumps();
    let descriptors = raise_descriptors();
    let http = args.server.http.settings(Introspection::Authenticated, false, descriptors);
    server::run(args.server.build(http, args.migrate).await?).await
}
