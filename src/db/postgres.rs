//! The pool of connections to PostgreSQL, over tokio-postgres and rustls.

use std::sync::Arc;

use deadpool::Runtime;
use deadpool::managed::Timeouts;
use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use futures_util::FutureExt;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::with_causes;
use super::{DbError, PoolSettings};

/// Connections to one PostgreSQL.
#[derive(Clone)]
pub(crate) struct PostgresPool(Pool<AsyncPgConnection>);

impl PostgresPool {
    pub(super) fn new(url: &str, settings: PoolSettings) -> Result<Self, DbError> {
        let tls = tls()?;
        let mut config = ManagerConfig::default();
        // Asking before every loan whether a connection is alive costs half of the reads; one that
        // is not fails its operation, and is not handed out again.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |url| {
            let tls = tls.clone();
            async move { connect(url, tls).await }.boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(url, config);
        let pool = Pool::builder(manager)
            .max_size(settings.connections)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(settings.wait),
                create: Some(settings.wait),
                recycle: Some(settings.wait),
            })
            .build();
        pool.map(Self)
            .map_err(|error| DbError::Unavailable(error.to_string()))
    }

    pub(crate) async fn lease(&self) -> Result<Object<AsyncPgConnection>, DbError> {
        self.0
            .get()
            .await
            .map_err(|error| DbError::Unavailable(with_causes(&error)))
    }
}

/// One connection outside the pool.
pub(super) async fn connect_alone(url: &str) -> Result<AsyncPgConnection, DbError> {
    let connected = connect(url, tls()?).await;
    connected.map_err(|error| DbError::Unavailable(with_causes(&error)))
}

async fn connect(url: &str, tls: MakeRustlsConnect) -> Result<AsyncPgConnection, ConnectionError> {
    let bad = |error: tokio_postgres::Error| ConnectionError::BadConnection(with_causes(&error));
    let (client, connection) = tokio_postgres::connect(url, tls).await.map_err(bad)?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

fn tls() -> Result<MakeRustlsConnect, DbError> {
    let unavailable = |error: rustls::Error| DbError::Unavailable(with_causes(&error));
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unavailable)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
