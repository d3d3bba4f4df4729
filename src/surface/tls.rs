//! TLS on every listener: one certificate, which is replaced while the server runs.

mod pair;
mod transport;
mod watch;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use self::pair::{Pair, Validity};
pub use self::pair::{TlsError, TlsFiles, read_validity};
pub use self::transport::Transport;
use super::RefusalSums;
use crate::domain::clock::{Clock, Instant};
use crate::metrics::Metrics;

/// What is spoken within TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, which gRPC needs.
    Http2,
}

/// The certificate of all listeners.
pub struct Tls {
    files: TlsFiles,
    shown: Arc<Shown>,
    http1: Arc<ServerConfig>,
    http2: Arc<ServerConfig>,
    clock: Arc<dyn Clock>,
    reload: Notify,
    reloaded: Notify,
    metrics: Arc<Metrics>,
    refusals: Arc<RefusalSums>,
}

/// What is shown to the next client.
#[derive(Debug)]
struct Shown(RwLock<Current>);

#[derive(Debug, Clone)]
struct Current {
    key: Arc<CertifiedKey>,
    validity: Validity,
}

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn new(
        files: TlsFiles,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        refusals: Arc<RefusalSums>,
    ) -> Result<Arc<Self>, TlsError> {
        let pair = Pair::read(&files)?;
        pair.validity.warn(clock.now(), &files.certificate);
        metrics.certificate.set(pair.validity.until);
        let shown = Arc::new(Shown(RwLock::new(pair.into())));
        let config = |protocol: &[u8]| {
            let provider = Arc::new(ring::default_provider());
            // TLS 1.2 and 1.3: older ones rustls does not speak.
            let builder = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(TlsError::Refused)?;
            let resolver: Arc<Shown> = Arc::clone(&shown);
            let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
            config.alpn_protocols = vec![protocol.to_vec()];
            Ok::<_, TlsError>(Arc::new(config))
        };
        let (http1, http2) = (config(b"http/1.1")?, config(b"h2")?);
        Ok(Arc::new(Self {
            files,
            shown,
            http1,
            http2,
            clock,
            reload: Notify::new(),
            reloaded: Notify::new(),
            metrics,
            refusals,
        }))
    }

    /// Has the files read again, and returns then. However often it is asked meanwhile, they are
    /// read once.
    pub async fn reload(&self) {
        let reloaded = self.reloaded.notified();
        self.reload.notify_one();
        reloaded.await;
    }

    /// When the certificate ends that is shown now.
    pub fn valid_until(&self) -> Instant {
        self.shown.current().validity.until
    }

    fn acceptor(&self, protocol: Protocol) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(match protocol {
            Protocol::Http1 => &self.http1,
            Protocol::Http2 => &self.http2,
        }))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Shown {
    /// A panic cannot leave it half changed.
    fn current(&self) -> Current {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, pair: Pair) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = pair.into();
    }
}

impl From<Pair> for Current {
    fn from(pair: Pair) -> Self {
        Self { key: pair.key, validity: pair.validity }
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current().key)
    }
}
