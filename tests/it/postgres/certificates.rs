//! Certificates of the tests' own.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SigningKey, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_cert::der::asn1::BitString;
use x509_cert::der::{Decode, Encode, EncodePem, pem::LineEnding};
use x509_cert::{Certificate, Version};

/// Who vouches for certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

/// What a server shows, and its key.
pub struct Shown {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = named(&[]);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for these names.
    pub fn vouches_for(&self, names: &[&str]) -> Shown {
        self.signs(&named(names))
    }

    /// One for this name, whose time is over.
    pub fn vouched_for(&self, name: &str) -> Shown {
        let mut params = named(&[name]);
        params.not_after = date_time_ymd(2001, 1, 1);
        self.signs(&params)
    }

    /// One as `openssl x509 -req` makes it by default: of version 1, which has no names but the
    /// common one.
    pub fn vouches_in_version_1(&self) -> Shown {
        let Shown { certificate, key } = self.vouches_for(&[]);
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let mut parsed = Certificate::from_der(&der).unwrap();
        parsed.tbs_certificate.version = Version::V1;
        parsed.tbs_certificate.extensions = None;
        let signed = parsed.tbs_certificate.to_der().unwrap();
        let signature = self.issuer.key().sign(&signed).unwrap();
        parsed.signature = BitString::from_bytes(&signature).unwrap();
        Shown { certificate: parsed.to_pem(LineEnding::LF).unwrap(), key }
    }

    fn signs(&self, params: &CertificateParams) -> Shown {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Shown { certificate, key: key.serialize_pem() }
    }
}

/// A certificate that vouches for itself, as `openssl req -x509` makes it by default: as an
/// authority. Its time may be over.
pub fn self_signed(names: &[&str], valid: bool) -> Shown {
    let mut params = named(names);
    if !valid {
        params.not_after = date_time_ymd(2001, 1, 1);
    }
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    Shown { certificate, key: key.serialize_pem() }
}

fn named(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "db.test");
    params
}
