//! The pool of connections to PostgreSQL, over tokio-postgres and rustls.

mod target;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::Timeouts;
use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::with_causes;
use super::{DbError, PoolSettings};

pub use target::PostgresTarget;

/// How long the operating system may wait for a peer that went silent.
const SILENCE: Duration = Duration::from_secs(10);
/// What an operation may take beyond its statements: the way there and back.
const SLACK: Duration = Duration::from_secs(1);

/// Connections to one PostgreSQL.
#[derive(Clone)]
pub(crate) struct PostgresPool {
    pool: Pool<AsyncPgConnection>,
    limit: Duration,
}

/// How a connection is made.
struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    /// Statements that a session begins with.
    setup: String,
}

impl PostgresPool {
    pub(super) fn new(target: &PostgresTarget, settings: PoolSettings) -> Result<Self, DbError> {
        let connector = Arc::new(Connector::new(target, settings)?);
        let mut config = ManagerConfig::default();
        // Asking before every loan whether a connection is alive costs half of the reads; one that
        // is not fails its operation, and is not handed out again.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let connector = Arc::clone(&connector);
            async move { connector.connect().await }.boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config("", config);
        let pool = Pool::builder(manager)
            .max_size(settings.connections)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(settings.wait),
                create: Some(settings.wait),
                recycle: Some(settings.wait),
            })
            .build()
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Self { pool, limit: settings.statement_timeout + SLACK })
    }

    pub(crate) async fn lease(&self) -> Result<Object<AsyncPgConnection>, DbError> {
        self.pool.get().await.map_err(|error| DbError::Unavailable(with_causes(&error)))
    }

    /// Hands out no more connections, and closes those that are not in use.
    pub(super) fn close(&self) {
        self.pool.close();
    }

    /// Runs a body to its end or to its limit. The server's own limit comes first; this one is for
    /// a server that went silent.
    pub(crate) async fn bounded<T>(&self, body: impl Future<Output = T>) -> Result<T, TimedOut> {
        tokio::time::timeout(self.limit, body).await.map_err(|_| TimedOut)
    }
}

/// An operation did not end in time; its connection must not be used again.
pub(crate) struct TimedOut;

impl TimedOut {
    /// Takes the connection out of the pool for good; nothing was changed.
    pub(crate) fn reading(self, lease: Object<AsyncPgConnection>) -> DbError {
        drop(Object::take(lease));
        DbError::Unavailable("the database did not answer in time".to_owned())
    }

    /// The same for a transaction, which may have been committed unheard.
    pub(crate) fn writing(self, lease: Object<AsyncPgConnection>) -> DbError {
        self.reading(lease).at_commit()
    }
}

/// One connection outside the pool, without a limit on its statements: migrations may take long.
pub(super) async fn connect_alone(
    target: &PostgresTarget,
    wait: Duration,
) -> Result<AsyncPgConnection, DbError> {
    let mut config = target.config.clone();
    patient(&mut config, wait);
    let connector = Connector { config, tls: tls::connector(&target.tls)?, setup: String::new() };
    let silent = |_| DbError::Unavailable("the database did not answer in time".to_owned());
    let connected = tokio::time::timeout(wait, connector.connect()).await.map_err(silent)?;
    connected.map_err(|error| DbError::Unavailable(with_causes(&error)))
}

impl Connector {
    fn new(target: &PostgresTarget, settings: PoolSettings) -> Result<Self, DbError> {
        let mut config = target.config.clone();
        patient(&mut config, settings.wait);
        Ok(Self { config, tls: tls::connector(&target.tls)?, setup: setup(settings) })
    }

    async fn connect(&self) -> Result<AsyncPgConnection, ConnectionError> {
        let bad =
            |error: tokio_postgres::Error| ConnectionError::BadConnection(with_causes(&error));
        let (client, connection) = self.config.connect(self.tls.clone()).await.map_err(bad)?;
        let mut session =
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
        session
            .batch_execute(&self.setup)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(session)
    }
}

/// Bounds the statements of a session, and keeps what is acknowledged where the server's own default would
/// not; a stricter default stays. Startup options could say the first two, but PgBouncer refuses those.
fn setup(settings: PoolSettings) -> String {
    format!(
        "SET statement_timeout = {}; \
         SET idle_in_transaction_session_timeout = {}; \
         SELECT set_config('synchronous_commit', 'on', false) \
         WHERE current_setting('synchronous_commit') = 'off'",
        settings.statement_timeout.as_millis(),
        settings.idle_transaction_timeout.as_millis(),
    )
}

/// Bounds the waits for a host that does not answer: several hosts share the time. What the URL says
/// comes first, within the pool's own limit.
fn patient(config: &mut Config, wait: Duration) {
    if config.get_connect_timeout().is_none() {
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(1).max(1);
        config.connect_timeout(wait / hosts);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    config.keepalives_idle(SILENCE);
}
