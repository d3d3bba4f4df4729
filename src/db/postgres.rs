//! The connections to PostgreSQL, over tokio-postgres and rustls: those of a pool, and lanes.

mod hosts;
mod lane;
mod losses;
mod searching;
mod target;
mod tls;
mod turns;
mod writing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::Timeouts;
use diesel::{ConnectionError, QueryResult};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::with_causes;
use super::priority::Gate;
use super::{DbError, PoolSettings, Priority, pool_level};
use crate::metrics::{DatabaseUse, Metrics, PoolLevel};

pub(crate) use lane::LaneLink;
use lane::{Lanes, share};
pub(crate) use losses::Losses;
use searching::SearchLease;
pub use target::PostgresTarget;
use turns::Turns;
use writing::WriteLease;

/// How long the operating system may wait for a peer that went silent.
const SILENCE: Duration = Duration::from_secs(10);
/// What an operation may take beyond its statements: the way there and back.
const SLACK: Duration = Duration::from_secs(1);

/// Connections to one PostgreSQL.
#[derive(Clone)]
pub(crate) struct PostgresPool {
    pool: Pool<AsyncPgConnection>,
    lanes: Arc<Lanes>,
    writing: Turns,
    /// In front of the turns to write.
    gate: Gate,
    searching: Turns,
    metrics: Arc<Metrics>,
    statement_timeout: Duration,
    /// Longest time of an operation.
    limit: Duration,
}

/// How a connection is made.
struct Connector {
    hosts: Vec<Config>,
    tls: MakeRustlsConnect,
    /// Longest time for all hosts in total.
    wait: Duration,
    /// Statements that a session starts with.
    setup: String,
}

impl PostgresPool {
    pub(super) fn new(
        target: &PostgresTarget,
        settings: PoolSettings,
        threads: usize,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, DbError> {
        let PoolSettings { wait, statement_timeout, .. } = settings;
        let connector = Arc::new(Connector::new(target, wait, setup(settings))?);
        let lanes = share(settings.connections, threads);
        let connections = settings.connections - lanes;
        let lanes = Lanes::new(Arc::clone(&connector), wait, lanes);
        let mut config = ManagerConfig::default();
        // Checking every connection before it is lent doubles the cost of reads. A dead one fails
        // its operation and is not lent again.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let connector = Arc::clone(&connector);
            async move { connector.connect().await }.boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config("", config);
        let pool = Pool::builder(manager)
            .max_size(connections)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts { wait: Some(wait), create: Some(wait), recycle: Some(wait) })
            .build()
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        let writing = Turns::to_write(connections, lanes.most(), wait);
        let searching = Turns::to_search(connections, lanes.most(), wait);
        Ok(Self {
            pool,
            lanes,
            gate: Gate::before(writing.at_once(), wait),
            writing,
            searching,
            metrics: Arc::clone(metrics),
            statement_timeout,
            limit: statement_timeout + SLACK,
        })
    }

    pub(crate) async fn lease(&self) -> Result<Object<AsyncPgConnection>, DbError> {
        let _wait = self.metrics.database_waits.start(DatabaseUse::Read);
        self.connection().await
    }

    async fn connection(&self) -> Result<Object<AsyncPgConnection>, DbError> {
        self.pool.get().await.map_err(|error| DbError::Unavailable(with_causes(&error)))
    }

    pub(crate) async fn write_lease(&self, priority: Priority) -> Result<WriteLease, DbError> {
        let _wait = self.metrics.database_waits.start(DatabaseUse::Write);
        let pass = self.gate.pass(priority).await?;
        let turn = self.writing.next().await?;
        Ok(WriteLease::new(self.connection().await?, turn, pass))
    }

    pub(crate) async fn search_lease(&self) -> Result<SearchLease, DbError> {
        let _wait = self.metrics.database_waits.start(DatabaseUse::Search);
        let turn = self.searching.next().await?;
        Ok(SearchLease::new(self.connection().await?, self.statement_timeout, turn))
    }

    /// Gives this thread, which serves requests, a connection of its own, if there are enough.
    pub(super) fn open_lane_here(&self) {
        self.lanes.give_here();
    }

    /// The connections. Lanes count as idle: they have room for more.
    pub(super) fn level(&self) -> PoolLevel {
        let mut level = pool_level("all", self.pool.status());
        level.idle += self.lanes.open();
        level.most += self.lanes.most();
        level
    }

    /// Hands out no more connections, and closes those that are not in use.
    pub(super) fn close(&self) {
        self.pool.close();
    }

    /// Runs a body to its end or to its limit. The limit of the server comes first; this one is for
    /// a server that went silent, and for a commit that waits for a standby, which the server does
    /// not limit.
    pub(crate) async fn bounded<T>(&self, body: impl Future<Output = T>) -> Result<T, TimedOut> {
        let start = Instant::now();
        timeout(self.limit, body).await.map_err(|_| {
            // Nothing was heard since the start.
            self.forget_before(start);
            TimedOut(self.clone())
        })
    }

    /// Closes the connections that are older and not in use, which may all be dead: one operation
    /// finds that out for all.
    fn forget_before(&self, start: Instant) {
        self.pool.retain(|_, connection| connection.created > start);
        self.lanes.distrust_before(start);
    }
}

/// An operation did not end in time; its connection must not be used again.
pub(crate) struct TimedOut(PostgresPool);

impl TimedOut {
    /// Removes the connection from the pool; nothing was changed.
    pub(crate) fn reading(self, lease: Object<AsyncPgConnection>) -> DbError {
        drop(Object::take(lease));
        unanswered()
    }

    /// The same for a transaction, which may have been committed without an answer.
    pub(crate) fn writing(self, lease: WriteLease) -> DbError {
        lease.abandon(self.0);
        unanswered().at_commit()
    }
}

fn unanswered() -> DbError {
    DbError::Unavailable("the database did not answer in time".to_owned())
}

/// Begins a transaction in which each statement sees what was committed before it, whatever the
/// default of the server: what is read after waiting for a lock must be as its last holder left it.
pub(crate) async fn begin_read_committed(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
    AnsiTransactionManager::begin_transaction_sql(connection, BEGIN).await
}

/// Has the server end a statement whose client is gone, which would hold its locks until then. Not
/// before PostgreSQL 14, and not on every system.
const NOTICE_LEAVING: &str = "SELECT set_config('client_connection_check_interval', '1s', false) \
                              FROM pg_settings WHERE name = 'client_connection_check_interval'";

/// One connection outside the pool, without a limit on its statements: migrations may take long.
pub(super) async fn connect_alone(
    target: &PostgresTarget,
    wait: Duration,
) -> Result<AsyncPgConnection, DbError> {
    let connector = Connector::new(target, wait, String::new())?;
    let connected = timeout(wait, connector.connect()).await.map_err(|_| unanswered())?;
    let connected = connected.map_err(|error| DbError::Unavailable(with_causes(&error)));
    let mut connection = connected?;
    // A connection that is lost fails the next statement as well.
    let _refused_elsewhere = connection.batch_execute(NOTICE_LEAVING).await;
    Ok(connection)
}

impl Connector {
    fn new(target: &PostgresTarget, wait: Duration, setup: String) -> Result<Self, DbError> {
        let mut hosts = target.hosts.clone();
        hosts.iter_mut().for_each(patient);
        Ok(Self { hosts, tls: tls::connector(&target.tls)?, wait, setup })
    }

    async fn connect(&self) -> Result<AsyncPgConnection, ConnectionError> {
        let connected = hosts::connect(&self.hosts, &self.tls, self.wait).await;
        let (client, connection) = connected.map_err(ConnectionError::BadConnection)?;
        let mut session =
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
        session
            .batch_execute(&self.setup)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(session)
    }
}

/// Limits the statements of a session, and makes commits durable where the default of the server
/// would not; a stricter default stays. Startup options could set the first two, but PgBouncer
/// refuses those.
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

/// Bounds the silence of a host that was connected to, where the URL does not.
fn patient(host: &mut Config) {
    if host.get_tcp_user_timeout().is_none() {
        host.tcp_user_timeout(SILENCE);
    }
    if host.get_keepalives_idle() == Config::new().get_keepalives_idle() {
        host.keepalives_idle(SILENCE);
    }
    if host.get_keepalives_interval().is_none() {
        host.keepalives_interval(SILENCE / 5);
    }
}
