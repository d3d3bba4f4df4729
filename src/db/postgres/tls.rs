//! TLS to PostgreSQL, verified as far as the URL asks.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme, WantsVerifier,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::DbError;
use super::super::error::with_causes;
use super::target::{Roots, TlsMode};

/// The TLS side of connections.
pub(super) fn connector(mode: &TlsMode) -> Result<MakeRustlsConnect, DbError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unavailable(&error))?;
    let config = match mode {
        TlsMode::ChainAndName(roots) => builder.with_root_certificates(store(roots)?),
        TlsMode::Chain(roots) => {
            let roots = Arc::new(store(roots)?);
            let chain =
                WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
            let chain = Some(chain.map_err(|error| unavailable(&error))?);
            lenient(builder, Lenient { chain, provider })
        }
        TlsMode::Unverified => lenient(builder, Lenient { chain: None, provider }),
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn lenient(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    verifier: Lenient,
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> DbError {
    DbError::Unavailable(with_causes(error))
}

fn store(roots: &Roots) -> Result<RootCertStore, DbError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            let loaded = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(loaded.certs);
        }
        Roots::File(path) => {
            let unreadable = |error: &dyn std::fmt::Display| {
                let text = format!("cannot read the root certificates {}: {error}", path.display());
                DbError::Unavailable(text)
            };
            let certificates = CertificateDer::pem_file_iter(path);
            for certificate in certificates.map_err(|error| unreadable(&error))? {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                store.add(certificate).map_err(|error| unreadable(&error))?;
            }
        }
    }
    if store.is_empty() {
        return Err(DbError::Unavailable("there are no root certificates".to_owned()));
    }
    Ok(store)
}

/// Verifies less than rustls would by itself. Whoever answers must hold the key of the certificate that
/// they show, in every mode.
#[derive(Debug)]
struct Lenient {
    /// `verify-ca`: the chain counts, the name does not. `None` is `prefer` and `require`: encrypted, to
    /// whoever answers.
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};

        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        // The name is looked at last, so whoever fails there has passed the rest.
        match chain.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
