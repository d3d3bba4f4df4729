//! What `dev` and `serve` share: the settings of a server, and its run from the start to the signal that
//! ends it.

use clap::Args;

use super::output::tell;
use super::stop::signals;
use super::{CliError, service_config};
use crate::app::App;
use crate::config::{DatabaseArgs, HttpArgs, TokenArgs};
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
}

impl ServerArgs {
    /// Puts the server together, and listens.
    pub(super) async fn build(&self, http: HttpSettings, migrate: bool) -> Result<App, CliError> {
        let config = service_config(&self.database, &self.tokens)?;
        if self.http.trusts_everybody() {
            tracing::warn!(
                "trusted-proxies names every address there is, so each client can claim any address; \
                 name those of your proxies only"
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
    // The line that scripts and people wait for, whatever the log says.
    tell(&format!("listening on http://{}", app.address()));
    Ok(app.run_until(stop).await?)
}
