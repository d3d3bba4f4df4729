//! The composition root: from settings to a server that listens.

mod audit_log;
mod duties;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use self::audit_log::AuditLog;
use self::duties::Duties;
use crate::db::{
    Database, DatabaseUrl, DbError, MigrateError, MigrationState, PoolSettings, ServerLock,
    ServerLockError, migration_state,
};
use crate::domain::catalogue::Catalogue;
use crate::domain::clock::{Clock, SteadyClock};
use crate::domain::expiry_notice::NoticeTimes;
use crate::domain::lifetime::Lifetime;
use crate::domain::random::{DrawnAhead, RandomError, RandomSource};
use crate::graphql::Engine;
use crate::grpc::{GrpcServer, GrpcState};
use crate::http::{
    HttpServer, HttpSettings, HttpState, IdentityHeaders, MetricsServer, MetricsState, Pulse,
    RequestRoom,
};
use crate::metrics::Metrics;
use crate::repository::Repository;
use crate::service::{Service, TokenRules, UnknownPermissions};
use crate::surface::{Connections, RefusalSums, Tls, TlsError, TlsFiles};
use crate::{grpc, http};

pub use self::audit_log::AuditLogSink;

/// The parts of the use cases.
pub struct ServiceConfig {
    /// Where the database is.
    pub database: DatabaseUrl,
    /// How many connections, and how long to wait for them.
    pub pool: PoolSettings,
    /// The permissions that this server knows.
    pub catalogue: Arc<Catalogue>,
    /// The rules for tokens.
    pub rules: TokenRules,
    /// Gives the time.
    pub clock: Arc<dyn Clock>,
    /// Gives the random bytes of ids and secrets.
    pub random: Arc<dyn RandomSource>,
}

/// Where a server listens; port 0 takes a free one.
#[derive(Debug, Clone)]
pub struct Listen {
    /// For HTTP.
    pub http: SocketAddr,
    /// For Envoy's `ext_authz` over gRPC, if at all.
    pub ext_authz: Option<SocketAddr>,
    /// For Prometheus, if at all.
    pub metrics: Option<SocketAddr>,
    /// The certificate of all of them; without it nothing is encrypted.
    pub tls: Option<TlsFiles>,
}

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Migrations are missing: how many.
    #[error(
        "the database is not migrated ({0} to apply); run `tokenwright migrate`, \
         or `serve --migrate`"
    )]
    NotMigrated(usize),
    /// The database was not migrated, or its state could not be read.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// A stored token holds permissions that the catalogue lacks.
    #[error(transparent)]
    Permissions(#[from] UnknownPermissions),
    /// The lock on the SQLite file could not be taken.
    #[error(transparent)]
    Lock(#[from] ServerLockError),
    /// Certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address could not be bound.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The audit log cannot be opened.
    #[error("cannot write the audit log {path}: {1}", path = .0.display())]
    AuditLog(PathBuf, std::io::Error),
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The database did not answer, or refused.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The use cases over a database that this version can serve.
///
/// # Errors
/// When the database is out of reach, not migrated or newer, or holds permissions that the
/// catalogue lacks.
pub async fn service(config: ServiceConfig) -> Result<Arc<Service>, StartError> {
    service_for(config, 0).await
}

/// The same for a server with so many threads that serve requests.
async fn service_for(config: ServiceConfig, threads: usize) -> Result<Arc<Service>, StartError> {
    match migration_state(&config.database).await? {
        MigrationState::Current => {}
        MigrationState::Behind(missing) => return Err(StartError::NotMigrated(missing)),
        MigrationState::Newer(versions) => return Err(MigrateError::Newer(versions).into()),
    }
    let runtime = Handle::current();
    let metrics = Arc::<Metrics>::default();
    let counted = Arc::clone(&metrics);
    let runs = runtime.clone();
    let database = Database::open(&config.database, config.pool, threads, runs, counted)?;
    let ServiceConfig { catalogue, rules, clock, random, .. } = config;
    let clock = Arc::new(SteadyClock::new(clock));
    let repository = Repository::new(database, Arc::clone(&clock));
    let service = Service::new(repository, catalogue, clock, random, rules, runtime, metrics);
    service.read_clock().await?;
    service.renew_name_keys().await?;
    match service.unknown_permissions().await? {
        Some(unknown) => Err(unknown.into()),
        None => Ok(Arc::new(service)),
    }
}

/// A server that listens. It is the only one on its database, or, on PostgreSQL, one of many.
pub struct App {
    server: HttpServer,
    ext_authz: Option<GrpcServer>,
    metrics: Option<MetricsServer>,
    service: Arc<Service>,
    refusals: Arc<RefusalSums>,
    tls: Option<Arc<Tls>>,
    lock: ServerLock,
    leaving: CancellationToken,
    shutdown_timeout: Duration,
    has_sockets: bool,
    retention: Option<Lifetime>,
    expiry_notices: NoticeTimes,
    audit_log: Option<AuditLog>,
}

impl App {
    /// Builds the server and listens.
    ///
    /// # Errors
    /// As [`service`], and when another server uses the SQLite file or the address cannot be bound.
    pub async fn build(
        config: ServiceConfig,
        listen: Listen,
        http: HttpSettings,
    ) -> Result<Self, StartError> {
        let url = config.database.clone();
        let locked = tokio::task::spawn_blocking(move || ServerLock::take(&url)).await;
        let lock = locked.map_err(|_| DbError::OperationPanicked)??;
        Self::assemble(lock, config, listen, http).await
    }

    /// Migrates the database, then builds the server like [`Self::build`]. A second server is
    /// refused before it migrates the database of the first.
    ///
    /// # Errors
    /// As [`Self::build`], and when a migration fails.
    pub async fn migrate_and_build(
        config: ServiceConfig,
        listen: Listen,
        http: HttpSettings,
    ) -> Result<Self, StartError> {
        let lock = ServerLock::take_and_migrate(&config.database).await?;
        Self::assemble(lock, config, listen, http).await
    }

    async fn assemble(
        lock: ServerLock,
        config: ServiceConfig,
        listen: Listen,
        settings: HttpSettings,
    ) -> Result<Self, StartError> {
        let (clock, random) = (Arc::clone(&config.clock), Arc::clone(&config.random));
        let id_random: Arc<dyn RandomSource> = Arc::new(DrawnAhead::new(Arc::clone(&random)));
        let service = service_for(config, settings.workers).await?;
        let (introspection, limit) = (settings.introspection, settings.request_timeout);
        let engine = Arc::new(Engine::new(Arc::clone(&service), introspection, limit));
        let (shutdown_timeout, has_sockets) =
            (settings.shutdown_timeout, settings.subscriptions.is_some());
        let refusals = Arc::<RefusalSums>::default();
        let tls = listen.tls.map(|files| {
            let (clock, metrics) = (Arc::clone(&clock), Arc::clone(service.metrics()));
            Tls::new(files, clock, metrics, Arc::clone(&refusals))
        });
        let tls = tls.transpose()?;
        let connections = Connections::new(settings.connections, settings.trusted_proxies.clone());
        let asked_by_envoy = GrpcState {
            service: Arc::clone(&service),
            clock: Arc::clone(&clock),
            id_random: Arc::clone(&id_random),
            refusals: Arc::clone(&refusals),
            connections: Arc::clone(&connections),
            tls: tls.clone(),
            trusted_proxies: settings.trusted_proxies.clone(),
            forwarded_header: settings.forwarded_header,
            needs_permission: settings.authorize_needs_permission,
            request_timeout: settings.request_timeout,
            shutdown_timeout,
        };
        let leaving = CancellationToken::new();
        let state = HttpState {
            engine,
            service: Arc::clone(&service),
            clock,
            id_random,
            random,
            refusals: Arc::clone(&refusals),
            identity_headers: IdentityHeaders::default(),
            room: RequestRoom::default(),
            leaving: leaving.clone(),
            closing: CancellationToken::new(),
            settings,
        };
        let refused = |address| move |error| StartError::Listen(address, error);
        let ext_authz = match listen.ext_authz {
            Some(address) => {
                Some(grpc::bind(address, asked_by_envoy).await.map_err(refused(address))?)
            }
            None => None,
        };
        let metrics =
            MetricsState { service: Arc::clone(&service), connections: Arc::clone(&connections) };
        let metrics = listen.metrics.map(|address| {
            http::bind_metrics(address, metrics, tls.clone()).map_err(refused(address))
        });
        let metrics = metrics.transpose()?;
        let server = http::bind(listen.http, state, connections, tls.clone());
        let server = server.map_err(refused(listen.http))?;
        Ok(Self {
            server,
            ext_authz,
            metrics,
            service,
            refusals,
            tls,
            lock,
            leaving,
            shutdown_timeout,
            has_sockets,
            retention: None,
            expiry_notices: NoticeTimes::default(),
            audit_log: None,
        })
    }

    /// The same, which removes audit events of this age while it runs.
    #[must_use]
    pub fn with_retention(self, retention: Option<Lifetime>) -> Self {
        Self { retention, ..self }
    }

    /// The same, which makes notices of the end of tokens while it runs.
    #[must_use]
    pub fn with_expiry_notices(self, expiry_notices: NoticeTimes) -> Self {
        Self { expiry_notices, ..self }
    }

    /// The same, which also writes every audit event there that is recorded from now on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn with_audit_log(self, sink: AuditLogSink) -> Result<Self, StartError> {
        let audit_log = AuditLog::begin(Arc::clone(&self.service), sink).await?;
        Ok(Self { audit_log: Some(audit_log), ..self })
    }

    /// Where it writes audit events, if it does.
    pub fn audit_log(&self) -> Option<&Arc<AuditLogSink>> {
        self.audit_log.as_ref().map(AuditLog::sink)
    }

    /// The address on which it listens for HTTP.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The address on which it listens for Envoy's `ext_authz`, if it does.
    pub fn ext_authz_address(&self) -> Option<SocketAddr> {
        self.ext_authz.as_ref().map(GrpcServer::address)
    }

    /// The address on which it listens for Prometheus, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(MetricsServer::address)
    }

    /// The certificate of the listeners, if there is TLS.
    pub const fn tls(&self) -> Option<&Arc<Tls>> {
        self.tls.as_ref()
    }

    /// Whether the threads that serve requests still turn.
    pub const fn pulse(&self) -> &Arc<Pulse> {
        self.server.pulse()
    }

    /// Cancel it before the end: then the server goes on serving, and is not ready any more.
    pub const fn leaving(&self) -> &CancellationToken {
        &self.leaving
    }

    /// The URL at which it is reached, without a path.
    pub fn url(&self) -> String {
        self.url_of(self.address())
    }

    /// The URL of one of its listeners, without a path.
    pub fn url_of(&self, address: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{address}")
    }

    /// The use cases, for commands that also do something else.
    pub const fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Serves until `stop` is ready and what is in flight is finished.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let duties = Duties::new(Arc::clone(self.service.metrics()));
        let service = Arc::clone(&self.service);
        duties.start("last uses", |stop| async move {
            service.keep_last_uses(stop.cancelled()).await;
        });
        let refusals = Arc::clone(&self.refusals);
        duties.start("sums of refusals", |stop| async move {
            refusals.keep(stop.cancelled()).await;
        });
        if let Some(tls) = self.tls {
            duties.start("certificate", |stop| async move { tls.keep(stop.cancelled()).await });
        }
        if self.metrics.is_some() {
            let service = Arc::clone(&self.service);
            duties.start("census", |stop| async move {
                service.keep_census(stop.cancelled()).await;
            });
        }
        if self.has_sockets {
            let (feed, live) = (Arc::clone(&self.service), Arc::clone(&self.service));
            duties.start("feed", |stop| async move { feed.keep_feed(stop.cancelled()).await });
            duties.start("live callers", |stop| async move {
                live.keep_live_callers(stop.cancelled()).await;
            });
        }
        if let Some(retention) = self.retention {
            let (service, logged) = (Arc::clone(&self.service), self.audit_log.is_some());
            duties.start("audit retention", |stop| async move {
                service.keep_retention(retention, logged, stop.cancelled()).await;
            });
        }
        if !self.expiry_notices.is_empty() {
            let (service, times) = (Arc::clone(&self.service), self.expiry_notices);
            duties.start("expiry notices", |stop| async move {
                service.keep_expiry_notices(times, stop.cancelled()).await;
            });
        }
        if let Some(audit_log) = self.audit_log {
            duties.start("audit log", |stop| audit_log.keep(stop));
        }
        let ended = run(self.server, self.ext_authz, self.metrics, stop).await;
        duties.end(self.shutdown_timeout).await;
        self.service.close().await;
        drop(self.lock);
        ended
    }
}

/// Runs the servers until `stop` is ready. If one ends by itself, the others end, too.
async fn run(
    http: HttpServer,
    ext_authz: Option<GrpcServer>,
    metrics: Option<MetricsServer>,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let ending = CancellationToken::new();
    let http = async {
        let _ends_the_others = ending.clone().drop_guard();
        http.run_until(ending.cancelled()).await
    };
    let ext_authz = async {
        let Some(ext_authz) = ext_authz else { return Ok(()) };
        let _ends_the_others = ending.clone().drop_guard();
        ext_authz.run_until(ending.cancelled()).await
    };
    let metrics = async {
        let Some(metrics) = metrics else { return Ok(()) };
        let _ends_the_others = ending.clone().drop_guard();
        metrics.run_until(ending.cancelled()).await
    };
    let stop = async {
        tokio::select! {
            () = stop => ending.cancel(),
            () = ending.cancelled() => {}
        }
    };
    let (http, ext_authz, metrics, ()) = tokio::join!(http, ext_authz, metrics, stop);
    http.and(ext_authz).and(metrics)
}
