//! `tokenwright serve`: production.

use clap::Args;

use super::output::tell;
use super::stop::signals;
use super::{CliError, service_config};
use crate::app::App;
use crate::config::{DatabaseArgs, HttpArgs, TokenArgs};
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
        default_value_t = false
    )]
    migrate: bool,

    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    http: HttpArgs,

    #[command(flatten)]
    tokens: TokenArgs,
}

pub(super) async fn run(args: ServeArgs) -> Result<(), CliError> {
    let config = service_config(&args.database, &args.tokens)?;
    let http = args.http.settings(Introspection::Authenticated, false);
    let app = if args.migrate {
        App::migrate_and_build(config, args.http.listen, http).await?
    } else {
        App::build(config, args.http.listen, http).await?
    };
    let stop = signals()?;
    announce(&app);
    Ok(app.run_until(stop).await?)
}

/// The line that scripts and people wait for, whatever the log says.
pub(super) fn announce(app: &App) {
    tell(&format!("listening on http://{}", app.address()));
}
