//! Shared by `dev` and `serve`: the settings of a server, and its run until a signal ends it.

use clap::Args;

use super::output::report;
use super::stop::signals;
use super::{CliError, service_config};
use crate::app::App;
use crate::config::{DatabaseArgs, HttpArgs, QuotaArgs, TokenArgs};
use crate::http::HttpSettings;

/// The settings of a server.
#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    pub(super) http: HttpArgs,

    #[command(flatten)]
    tokens: TokenArgs,

    #[command(flatten)]
    quotas: QuotaArgs,
}

impl ServerArgs {
    /// Builds the server and listens.
    pub(super) async fn build(&self, http: HttpSettings, migrate: bool) -> Result<App, CliError> {
        let mut config = service_config(&self.database, &self.tokens)?;
        config.rules.quotas = self.quotas.quotas();
        if self.http.trusts_everybody() {
            tracing::warn!(
                "trusted-proxies names every address there is, so each client can claim any \
                 address; name those of your proxies only"
            );
        }
        let listen = self.http.listen.0;
        Ok(if migrate {
            App::migrate_and_build(config, listen, http).await?
        } else {
            App::build(config, listen, http).await?
        })
    }
}

/// Serves until a signal ends it.
pub(super) async fn run(app: App) -> Result<(), CliError> {
    let stop = signals()?;
    // Scripts and people wait for this line, whatever the log filter is.
    report(&format!("listening on http://{}", app.address()));
    Ok(app.run_until(stop).await?)
}
