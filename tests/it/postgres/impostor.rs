//! Somebody who shows a server's certificate without having its key.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConnection, Stream};

use super::certificates::Shown;

/// Answers as PostgreSQL does until TLS begins, for as long as the process lives.
pub fn shows(certificate: &Shown, other: &Shown) -> SocketAddr {
    let certificate = CertificateDer::from_pem_slice(certificate.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(other.key.as_bytes()).unwrap();
    let key = ring::sign::any_supported_type(&key).unwrap();
    let resolver = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let config = Arc::clone(&config);
            thread::spawn(move || answer(stream.unwrap(), config));
        }
    });
    address
}

fn answer(mut stream: TcpStream, config: Arc<ServerConfig>) {
    let mut asks_for_tls = [0; 8];
    stream.read_exact(&mut asks_for_tls).unwrap();
    stream.write_all(b"S").unwrap();
    let mut connection = ServerConnection::new(config).unwrap();
    let mut session = Stream::new(&mut connection, &mut stream);
    let _nobody_comes_this_far = session.read_to_end(&mut Vec::new());
}
