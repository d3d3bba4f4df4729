//! The certificate of the listeners.

use std::path::PathBuf;

use clap::Args;

use crate::surface::TlsFiles;

/// Settings of TLS.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// The certificate that all listeners show, and after it those that vouch for it (PEM). It is
    /// read again when it changes, and at SIGHUP. Needs `--tls-key`; without it there is no TLS.
    #[arg(long, env = "TOKENWRIGHT_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,

    /// The private key of the certificate (PEM: PKCS#8, PKCS#1 or SEC1), without a passphrase.
    #[arg(long, env = "TOKENWRIGHT_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
}

impl TlsArgs {
    /// Where certificate and key are, if there is to be TLS.
    pub fn files(&self) -> Option<TlsFiles> {
        let (certificate, key) = (self.tls_certificate.clone()?, self.tls_key.clone()?);
        Some(TlsFiles { certificate, key })
    }
}
