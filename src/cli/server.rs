//! Shared by `dev` and `serve`: the settings of a server, and its run until a signal ends it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::end_signals::EndSignals;
use super::output::report;
use super::service_manager::ServiceManager;
use super::stop::Signals;
use super::{CliError, service_config};
use crate::app::{App, AuditLogSink, Listen, StartError};
use crate::config::{
    AuditArgs, DatabaseArgs, GrpcArgs, HttpArgs, MetricsArgs, QuotaArgs, SubscriptionArgs, TlsArgs,
    TokenArgs, TracesArgs,
};
use crate::graphql::Introspection;
use crate::http::HttpSettings;

/// The settings of a server.
#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,

    #[command(flatten)]
    pub(super) http: HttpArgs,

    #[command(flatten)]
    subscriptions: SubscriptionArgs,

    #[command(flatten)]
    grpc: GrpcArgs,

    #[command(flatten)]
    metrics: MetricsArgs,

    #[command(flatten)]
    pub(super) traces: TracesArgs,

    #[command(flatten)]
    pub(super) tls: TlsArgs,

    #[command(flatten)]
    pub(super) tokens: TokenArgs,

    #[command(flatten)]
    quotas: QuotaArgs,

    #[command(flatten)]
    audit: AuditArgs,
}

impl ServerArgs {
    /// The settings of HTTP, with the defaults in which `dev` and `serve` differ, for a process that
    /// may have so many descriptors.
    pub(super) fn http_settings(
        &self,
        introspection: Introspection,
        in_development: bool,
        descriptors: Option<u64>,
    ) -> HttpSettings {
        let database_connections = self.database.database_connections;
        let http =
            self.http.settings(introspection, in_development, descriptors, database_connections);
        HttpSettings { subscriptions: self.subscriptions.limits(in_development), ..http }
    }

    /// Builds the server and listens.
    pub(super) async fn build(&self, http: HttpSettings, migrate: bool) -> Result<App, CliError> {
        let mut config = service_config(&self.database, &self.tokens)?;
        config.rules.quotas = self.quotas.quotas();
        config.rules.failures = self.quotas.failures();
        for warning in self.warnings() {
            tracing::warn!("{warning}");
        }
        let (possible, wanted) = (http.connections.all, self.http.wanted_connections());
        if possible < wanted {
            tracing::warn!(
                "the limit of open files leaves room for {possible} connections at once, not for \
                 {wanted}; raise it (`LimitNOFILE=`, `ulimit -n`)"
            );
        }
        let listen = Listen {
            http: self.http.listen.0,
            ext_authz: self.grpc.ext_authz_listen.map(|listen| listen.0),
            metrics: self.metrics.metrics_listen.map(|listen| listen.0),
            tls: self.tls.files(),
        };
        let opened = self.audit.audit_log.as_ref().map(|path| {
            let unusable = |error| StartError::AuditLog(path.clone(), error);
            AuditLogSink::open(path).map_err(unusable)
        });
        let audit_log = opened.transpose()?;
        let app = if migrate {
            App::migrate_and_build(config, listen, http).await?
        } else {
            App::build(config, listen, http).await?
        };
        let app = app.with_retention(self.audit.audit_retention);
        let app = app.with_expiry_notices(self.audit.expiry_notices());
        Ok(match audit_log {
            Some(sink) => app.with_audit_log(sink).await?,
            None => app,
        })
    }

    /// What may be meant, and is a risk.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.http.trusts_everybody() {
            warnings.push(
                "trusted-proxies names every address there is, so each client can claim any \
                 address; name those of your proxies only"
                    .to_owned(),
            );
        }
        let has_proxies = !self.http.trusted_proxies.is_empty();
        if self.grpc.ext_authz_listen.is_some() && !has_proxies {
            warnings.push(
                "ext-authz-listen is set and trusted-proxies is not, so Envoy itself counts as the \
                 client; name Envoy's address there"
                    .to_owned(),
            );
        }
        let address = self.http.listen.0;
        if self.tls.files().is_none() && is_public(address.ip()) && !has_proxies {
            warnings.push(format!(
                "listen is {address}, where tokens travel unencrypted: set tls-certificate and \
                 tls-key, or let a proxy end TLS and name it in trusted-proxies"
            ));
        }
        warnings
    }
}

/// Can strangers reach it, as far as the address tells? One that stands for all of a machine counts.
const fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

/// Waits until the server listens; `None` where a signal ends it before.
pub(super) async fn started(
    end: &mut EndSignals,
    building: impl Future<Output = Result<App, CliError>> + Send + 'static,
) -> Result<Option<App>, CliError> {
    match end.unless_asked(building).await {
        Err(CliError::Stopped(signal, _)) => {
            report(&format!("stopped by {signal} before it served anything"));
            Ok(None)
        }
        built => built.map(Some),
    }
}

/// Serves until a signal ends it, and for `delay` longer, not ready any more.
pub(super) async fn run(app: App, end: EndSignals, delay: Duration) -> Result<(), CliError> {
    let manager = Arc::new(ServiceManager::from_environment());
    let (tls, audit_log) = (app.tls().cloned(), app.audit_log().cloned());
    let signals = Signals::handle(end, tls, audit_log, Arc::clone(&manager))?;
    if let Some(address) = app.ext_authz_address() {
        report(&format!("listening for ext_authz on {address}"));
    }
    if let Some(address) = app.metrics_address() {
        report(&format!("listening for Prometheus on {}/metrics", app.url_of(address)));
    }
    // Scripts and people wait for this line, whatever the log filter is.
    report(&format!("listening on {}", app.url()));
    manager.ready(&app.url());
    let (pulse, leaving) = (Arc::clone(app.pulse()), app.leaving().clone());
    let beating = async { manager.keep_watchdog(&pulse).await };
    let serving = app.run_until(signals.until_the_end(leaving, delay));
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return Ok(ended?),
        // There is no watchdog.
        () = beating => {}
    }
    Ok(serving.await?)
}
