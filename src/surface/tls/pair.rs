//! A certificate and its key, read from two files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::time::Time;
use zeroize::Zeroizing;

use crate::domain::clock::{Instant, written};

/// How long before its end a certificate is warned about, unless a third of its life is shorter:
/// some live for a few days only.
const SOON: TimeDelta = TimeDelta::days(14);
/// Modes under which others than the owner and the group can read a key.
const READABLE_BY_OTHERS: u32 = 0o007;

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and after it those that vouch for it (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM: PKCS#8, PKCS#1 or SEC1).
    pub key: PathBuf,
}

/// Certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path} (`{1}`): {2}", path = .0.display())]
    Unreadable(PathBuf, &'static str, std::io::Error),
    /// A file does not hold what it should.
    #[error("{path} (`{1}`) {2}", path = .0.display())]
    Unusable(PathBuf, &'static str, String),
    /// The key belongs to another certificate.
    #[error(
        "the key {key} (`tls-key`) is not that of the certificate {certificate} \
         (`tls-certificate`); write both from the same renewal",
        certificate = .0.display(),
        key = .1.display()
    )]
    Mismatch(PathBuf, PathBuf),
    /// rustls refuses them.
    #[error("TLS is not possible: {0}")]
    Refused(Error),
}

/// A certificate with its key.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) validity: Validity,
}

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: Instant,
    /// The last instant.
    pub(super) until: Instant,
}

/// The first and the last instant at which a certificate is valid, if it and its key can be used.
///
/// # Errors
/// When they cannot be used.
pub fn read_validity(files: &TlsFiles) -> Result<(Instant, Instant), TlsError> {
    let Validity { from, until } = Pair::read(files)?.validity;
    Ok((from, until))
}

impl Pair {
    /// Reads both files. A pair that is half written does not match.
    pub(super) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let TlsFiles { certificate, key } = files;
        let chain = chain(certificate)?;
        let validity = chain.first().and_then(|first| Validity::of(first)).ok_or_else(|| {
            unusable(certificate, CERTIFICATE, "begins with what is no X.509 certificate")
        })?;
        let private = private_key(key)?;
        let provider = ring::default_provider();
        let made = CertifiedKey::from_der(chain, private, &provider);
        let made = made.map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::Mismatch(certificate.clone(), key.clone())
            }
            Error::General(text) => unusable(key, KEY, &format!("cannot be used: {text}")),
            other => TlsError::Refused(other),
        })?;
        Ok(Self { key: Arc::new(made), validity })
    }
}

const CERTIFICATE: &str = "tls-certificate";
const KEY: &str = "tls-key";

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path, CERTIFICATE)?;
    let found: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| {
        unusable(path, CERTIFICATE, &format!("is no PEM file, or only a part of one: {error}"))
    })?;
    if found.is_empty() {
        return Err(unusable(path, CERTIFICATE, "holds no certificate (`BEGIN CERTIFICATE`)"));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path, KEY)?;
    if text.windows(ENCRYPTED.len()).any(|window| window == ENCRYPTED) {
        let advice = "is encrypted; write it without a passphrase (`openssl pkey -in KEY -out \
                      PLAIN`) and readable by the server alone";
        return Err(unusable(path, KEY, advice));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        unusable(
            path,
            KEY,
            &match error {
                PemError::NoItemsFound => "holds no private key (`BEGIN PRIVATE KEY`)".to_owned(),
                other => format!("is no PEM file, or only a part of one: {other}"),
            },
        )
    })
}

/// In the headers of encrypted keys of either form.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

fn read(path: &Path, setting: &'static str) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let read = std::fs::read(path).map(Zeroizing::new);
    read.map_err(|error| TlsError::Unreadable(path.to_owned(), setting, error))
}

fn unusable(path: &Path, setting: &'static str, wrong: &str) -> TlsError {
    TlsError::Unusable(path.to_owned(), setting, wrong.to_owned())
}

/// Warns the operator if everybody on the machine can read the key.
pub(super) fn warn_of_readers(key: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        let mode = key.metadata().map_or(0, |metadata| metadata.mode());
        if mode & READABLE_BY_OTHERS != 0 {
            tracing::warn!(
                "the key {} (`tls-key`) can be read by everybody on this machine (mode {:o}); \
                 `chmod o=` ends that",
                key.display(),
                mode & 0o777
            );
        }
    }
}

impl Validity {
    fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let instant = |time: Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
            DateTime::from_timestamp(seconds, 0)
        };
        let validity = certificate.tbs_certificate.validity;
        Some(Self { from: instant(validity.not_before)?, until: instant(validity.not_after)? })
    }

    /// Says if clients refuse the certificate now, or will soon. Returns whether it did.
    pub(super) fn warn(&self, now: Instant, certificate: &Path) -> bool {
        let (file, until) = (certificate.display(), written(self.until));
        if now > self.until {
            tracing::error!(
                "the certificate {file} (`tls-certificate`) has expired on {until}, so clients \
                 refuse this server: renew it; a new one is used as soon as it is there"
            );
        } else if now < self.from {
            tracing::error!(
                "the certificate {file} (`tls-certificate`) is not valid before {}, so clients \
                 refuse this server: is the clock right?",
                written(self.from)
            );
        } else if self.until - now < SOON.min((self.until - self.from) / 3) {
            tracing::warn!(
                "the certificate {file} (`tls-certificate`) expires on {until}: renew it; a new \
                 one is used as soon as it is there"
            );
        } else {
            return false;
        }
        true
    }
}
