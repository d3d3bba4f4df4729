//! TLS to PostgreSQL, verified as far as the URL asks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::time::Time;

use super::super::DbError;
use super::super::error::with_causes;

/// What a server must prove (libpq, section "SSL Support").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// Nothing: `disable` and `prefer`.
    Unverified,
    /// As `Chain` if libpq's file of root certificates is there, else nothing: `require`.
    ChainIfKnown,
    /// That one of the roots vouches for it: `verify-ca`.
    Chain(Roots),
    /// And that it has the name that was asked for: `verify-full`.
    ChainAndName(Roots),
}

/// Which root certificates count: `sslrootcert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    File(PathBuf),
    /// The file where libpq looks when none is named.
    Default,
    /// Those of the operating system.
    System,
}

/// The TLS side of connections.
pub(super) fn connector(mode: &TlsMode) -> Result<MakeRustlsConnect, DbError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unavailable(&error))?;
    let trusted = match mode {
        TlsMode::Unverified => None,
        TlsMode::ChainIfKnown => {
            let file = default_file().filter(|path| path.exists());
            file.map(|path| Trusted::in_file(&path, &provider)).transpose()?
        }
        TlsMode::Chain(roots) | TlsMode::ChainAndName(roots) => {
            Some(Trusted::read(roots, &provider)?)
        }
    };
    let named = matches!(mode, TlsMode::ChainAndName(_));
    let verifier = Arc::new(Verifier { trusted, named, provider });
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = builder.with_no_client_auth();
    // Servers that TLS is spoken to from the first byte on (`sslnegotiation=direct`) ask for it.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> DbError {
    DbError::Unavailable(with_causes(error))
}

fn default_file() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(".postgresql/root.crt"))
}

/// The certificates that vouch for a server.
#[derive(Debug)]
struct Trusted {
    chain: Arc<WebPkiServerVerifier>,
    /// Those of a file: a server may also show one of them itself.
    themselves: Vec<CertificateDer<'static>>,
}

impl Trusted {
    fn read(roots: &Roots, provider: &Arc<CryptoProvider>) -> Result<Self, DbError> {
        match roots {
            Roots::File(path) => Self::in_file(path, provider),
            Roots::Default => {
                let missing = || DbError::Unavailable("`sslrootcert` must be given".to_owned());
                Self::in_file(&default_file().ok_or_else(missing)?, provider)
            }
            Roots::System => {
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                Self::new(store, Vec::new(), provider)
            }
        }
    }

    fn in_file(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Self, DbError> {
        let unreadable = |error: &dyn std::fmt::Display| {
            let text = format!(
                "cannot read the root certificates {} (`sslrootcert`): {error}",
                path.display()
            );
            DbError::Unavailable(text)
        };
        let found = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))?;
        let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|error| unreadable(&error))?;
        if found.is_empty() {
            return Err(unreadable(&"there is none"));
        }
        let mut store = RootCertStore::empty();
        for certificate in &found {
            store.add(certificate.clone()).map_err(|error| unreadable(&error))?;
        }
        Self::new(store, found, provider)
    }

    fn new(
        store: RootCertStore,
        themselves: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, DbError> {
        let provider = Arc::clone(provider);
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
        let chain = chain.map_err(|error| unavailable(&error))?;
        Ok(Self { chain, themselves })
    }
}

/// Verifies what the mode requires. In every mode the server must hold the key of the certificate
/// that it shows: the channel binding of SCRAM relies on it.
#[derive(Debug)]
struct Verifier {
    /// `None` is `prefer` and `require`: encrypted, with any server.
    trusted: Option<Trusted>,
    /// Does the name count, too?
    named: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};

        let Some(trusted) = &self.trusted else { return Ok(ServerCertVerified::assertion()) };
        // A certificate made by the first example of PostgreSQL's manual is self-signed. It calls
        // itself an authority, so it would be refused as part of a chain.
        if trusted.themselves.contains(end_entity) {
            within_validity(end_entity, now)?;
            if self.named {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        match trusted.chain.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            // The name is checked last, so a certificate that fails here has passed the other
            // checks.
            Err(Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
                if !self.named =>
            {
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
        if ParsedCertificate::try_from(certificate).is_ok() {
            return verify_tls13_signature(message, certificate, signed, algorithms);
        }
        // rustls reads only certificates of version 3. `openssl x509 -req` makes older ones, and
        // here it is enough to hold the key.
        let key = read(certificate)?.tbs_certificate.subject_public_key_info.to_der();
        let key = SubjectPublicKeyInfoDer::from(key.map_err(|_| BAD_ENCODING)?);
        verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

const BAD_ENCODING: Error = Error::InvalidCertificate(CertificateError::BadEncoding);

fn read(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(certificate).map_err(|_| BAD_ENCODING)
}

fn within_validity(certificate: &CertificateDer<'_>, time: UnixTime) -> Result<(), Error> {
    let validity = read(certificate)?.tbs_certificate.validity;
    let bound = |bound: Time| UnixTime::since_unix_epoch(bound.to_unix_duration());
    let (not_before, not_after) = (bound(validity.not_before), bound(validity.not_after));
    if time < not_before {
        let error = CertificateError::NotValidYetContext { time, not_before };
        return Err(Error::InvalidCertificate(error));
    }
    if time > not_after {
        let error = CertificateError::ExpiredContext { time, not_after };
        return Err(Error::InvalidCertificate(error));
    }
    Ok(())
}
