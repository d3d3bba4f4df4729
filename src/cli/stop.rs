//! The signals that end a server, and those that it serves on after.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::end_signals::EndSignals;
use super::service_manager::ServiceManager;
use crate::app::AuditLogSink;
use crate::surface::Tls;

/// Longest wait for a certificate that is read again.
const RELOAD: Duration = Duration::from_secs(10);

/// How a server ends, and what SIGHUP does meanwhile.
pub(super) struct Signals {
    end: EndSignals,
    hang_up: Signal,
    tls: Option<Arc<Tls>>,
    audit_log: Option<Arc<AuditLogSink>>,
    manager: Arc<ServiceManager>,
}

impl Signals {
    /// From now on SIGHUP does not end the process either. Call it before the server announces
    /// itself.
    ///
    /// # Errors
    /// When it cannot be handled.
    pub(super) fn handle(
        end: EndSignals,
        tls: Option<Arc<Tls>>,
        audit_log: Option<Arc<AuditLogSink>>,
        manager: Arc<ServiceManager>,
    ) -> std::io::Result<Self> {
        let hang_up = signal(SignalKind::hangup())?;
        Ok(Self { end, hang_up, tls, audit_log, manager })
    }

    /// Returns when the server has to end: `delay` after the first SIGTERM or SIGINT, or at the
    /// second one. `leaving` is cancelled at the first.
    pub(super) async fn until_the_end(mut self, leaving: CancellationToken, delay: Duration) {
        self.end_asked().await;
        leaving.cancel();
        if delay.is_zero() {
            self.manager.stopping("finishing what is in flight");
            return;
        }
        self.manager.stopping("not ready, and still serving for shutdown-delay");
        tracing::info!(
            ?delay,
            "not ready any longer; requests are still served for `shutdown-delay`, or until the \
             next signal"
        );
        tokio::select! {
            () = sleep(delay) => {}
            () = self.end_asked() => {}
        }
    }

    /// Returns at SIGTERM or SIGINT. SIGHUP, which a closed terminal or a log rotation sends too,
    /// has the certificate read and the audit log opened again, if there are any.
    async fn end_asked(&mut self) {
        loop {
            tokio::select! {
                _ = self.end.asked() => return,
                _ = self.hang_up.recv() => self.reload().await,
            }
        }
    }

    async fn reload(&self) {
        self.manager.reloading();
        if let Some(tls) = &self.tls
            && timeout(RELOAD, tls.reload()).await.is_err()
        {
            tracing::error!("the certificate was not read again in time");
        }
        if let Some(audit_log) = &self.audit_log {
            match timeout(RELOAD, audit_log.reopen()).await {
                Ok(Ok(())) => tracing::info!("the audit log was opened again"),
                Ok(Err(error)) => tracing::error!(%error, "the audit log cannot be opened again"),
                Err(_) => tracing::error!("the audit log was not opened again in time"),
            }
        }
        if self.tls.is_none() && self.audit_log.is_none() {
            tracing::info!("SIGHUP is ignored");
        }
        self.manager.reloaded();
    }
}
