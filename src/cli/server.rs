//! Shared by `dev` and `serve`: the settings of a server, and its run until a signal ends it.

use std::net::IpAddr;

use clap::Args;

use super::output::report;
use super::stop::signals;
use super::{CliError, service_config};
use crate::app::{App, Listen};
use crate::config::{DatabaseArgs, GrpcArgs, HttpArgs, MetricsArgs, QuotaArgs, TlsArgs, TokenArgs};
use crate::http::HttpSettings;

/// The settings of a server.
#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    pub(super) http: HttpArgs,

    #[command(flatten)]
    grpc: GrpcArgs,

    #[command(flatten)]
    metrics: MetricsArgs,

    #[command(flatten)]
    tls: TlsArgs,

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
        config.rules.failures = self.quotas.failures();
        if self.http.trusts_everybody() {
            tracing::warn!(
                "trusted-proxies names every address there is, so each client can claim any \
                 address; name those of your proxies only"
            );
        }
        let ext_authz = self.grpc.ext_authz_listen.map(|listen| listen.0);
        if ext_authz.is_some() && self.http.trusted_proxies.is_empty() {
            tracing::warn!(
                "ext-authz-listen is set and trusted-proxies is not, so Envoy itself counts as the \
                 client; name Envoy's address there"
            );
        }
        let metrics = self.metrics.metrics_listen.map(|listen| listen.0);
        let tls = self.tls.files();
        let http_address = self.http.listen.0;
        if tls.is_none() && is_public(http_address.ip()) && self.http.trusted_proxies.is_empty() {
            tracing::warn!(
                "listen is {http_address}, where tokens travel unencrypted: set tls-certificate and \
                 tls-key, or let a proxy end TLS and name it in trusted-proxies"
            );
        }
        let listen = Listen { http: http_address, ext_authz, metrics, tls };
        Ok(if migrate {
            App::migrate_and_build(config, listen, http).await?
        } else {
            App::build(config, listen, http).await?
        })
    }
}

/// Can strangers reach it, as far as the address tells? One that stands for all of a machine counts.
const fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

/// Serves until a signal ends it.
pub(super) async fn run(app: App) -> Result<(), CliError> {
    let stop = signals(app.tls().cloned())?;
    if let Some(address) = app.ext_authz_address() {
        report(&format!("listening for ext_authz on {address}"));
    }
    if let Some(address) = app.metrics_address() {
        report(&format!("listening for Prometheus on {}/metrics", app.url_of(address)));
    }
    // Scripts and people wait for this line, whatever the log filter is.
    report(&format!("listening on {}", app.url()));
    Ok(app.run_until(stop).await?)
}
