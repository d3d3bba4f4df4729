//! TLS on the listeners: who is served, and how certificates come and go while the server runs.

use std::fs::{read_to_string, write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use chrono::{Datelike, TimeDelta};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokenwright::domain::clock::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{
    Binary, Server, TestDatabase, administrator, assert_ended, eventually, migrated,
};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A folder with a certificate for `localhost` and its key.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    /// A new pair.
    fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        files.renew();
        files
    }

    /// Another pair in place of this one.
    fn renew(&self) {
        let (certificate, key) = pair(&KeyPair::generate().unwrap(), |_| {});
        write(self.key(), key).unwrap();
        write(self.certificate(), certificate).unwrap();
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// The first certificate that is there now.
    fn first(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.certificate()).unwrap()
    }

    fn serve(&self, database: &TestDatabase) -> Binary {
        let (certificate, key) = (self.certificate(), self.key());
        let arguments = ["--tls-certificate", text(&certificate), "--tls-key", text(&key)];
        Binary::on(database, &["serve"]).args(&arguments)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A certificate for `localhost` with this key, and the key (PKCS#8).
fn pair(key: &KeyPair, change: impl Fn(&mut CertificateParams)) -> (String, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    (params.self_signed(key).unwrap().pem(), key.serialize_pem())
}

/// A connection of a client that trusts this certificate and speaks these protocols.
async fn connect(
    address: SocketAddr,
    trusted: CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    let name = "localhost".try_into().unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// The answer to a GET.
async fn get(stream: &mut TlsStream<TcpStream>, path: &str, more: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64 * 1024];
    let length = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

async fn is_served(server: &Server, files: &Files) {
    let mut stream = connect(server.address, files.first(), &VERSIONS, &[]).await.unwrap();
    let answer = get(&mut stream, "/readyz", "").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

async fn is_shown(server: &Server, certificate: &CertificateDer<'static>) -> bool {
    connect(server.address, certificate.clone(), &VERSIONS, &[]).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_tls_carry_http_1_1() {
    let (database, files) = (migrated(), Files::new());
    let token = administrator(&database, "administrator");
    let server = files.serve(&database).serve();
    for version in VERSIONS {
        let protocols = ["h2", "http/1.1"];
        let mut stream =
            connect(server.address, files.first(), &[version], &protocols).await.unwrap();
        let (_, session) = stream.get_ref();
        assert_eq!(session.protocol_version(), Some(version.version));
        assert_eq!(session.alpn_protocol(), Some(b"http/1.1".as_slice()));
        let bearer = format!("authorization: Bearer {token}\r\n");
        let target = "/authorize?permission=api.users.read";
        for _ in 0..3 {
            let answer = get(&mut stream, target, &bearer).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            assert!(answer.contains("x-tokenwright-user-name: administrator"), "{answer}");
        }
        let refused = get(&mut stream, target, "authorization: Bearer twr_x\r\n").await;
        assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    }
    // Nothing is answered without TLS.
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _may_be_reset = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    server.running.until(|said| said.err().contains("no TLS connection came about"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_listener_has_it() {
    let (database, files) = (migrated(), Files::new());
    let listeners = ["--ext-authz-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"];
    let server = files.serve(&database).args(&listeners).serve();
    let said = server.running.until(|said| said.err().contains("Prometheus on https://"));
    // HTTP/2 is what gRPC speaks: the server begins with its settings (RFC 9113, section 3.4).
    let envoy = said.asked_at().unwrap();
    let mut stream = connect(envoy, files.first(), &VERSIONS, &["h2"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "SETTINGS");
    let text = said.err();
    let (_, metrics) = text.split_once("Prometheus on https://").unwrap();
    let metrics = metrics.split_once("/metrics").unwrap().0.parse().unwrap();
    let mut stream = connect(metrics, files.first(), &VERSIONS, &[]).await.unwrap();
    let answer = get(&mut stream, "/metrics", "").await;
    assert!(answer.contains("tokenwright_tls_certificate_expiry_timestamp_seconds"), "{answer}");
    assert!(answer.contains("tokenwright_tls_handshakes_total{result=\"done\"} 2"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_form_are_read() {
    let database = migrated();
    for (algorithm, form) in [
        (&["RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..], &["pkey"][..]),
        (&["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], &["rsa", "-traditional"]),
        (&["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], &["pkey"]),
        (&["EC", "-pkeyopt", "ec_paramgen_curve:P-384"], &["ec"]),
        (&["ED25519"], &["pkey"]),
    ] {
        let files = Files::new();
        let generated = openssl(&[&["genpkey", "-algorithm"], algorithm].concat());
        let key = KeyPair::from_pem(&generated).unwrap();
        write(files.certificate(), pair(&key, |_| {}).0).unwrap();
        write(files.key(), &generated).unwrap();
        let path = files.key();
        let formed = openssl(&[form, &["-in", text(&path)]].concat());
        write(&path, &formed).unwrap();
        is_served(&files.serve(&database).serve(), &files).await;
    }
}

fn openssl(arguments: &[&str]) -> String {
    let ended = Command::new("openssl").args(arguments).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_shown_without_a_restart() {
    let (database, files) = (migrated(), Files::new());
    let server = files.serve(&database).serve();
    let first = files.first();
    let mut open = connect(server.address, first.clone(), &VERSIONS, &[]).await.unwrap();
    assert!(get(&mut open, "/livez", "").await.starts_with("HTTP/1.1 200 "));
    // By itself, as the files are looked at.
    files.renew();
    let second = files.first();
    server.running.until(|said| said.err().contains("was replaced"));
    assert!(is_shown(&server, &second).await);
    assert!(!is_shown(&server, &first).await);
    // When it is told.
    files.renew();
    server.running.signal("HUP");
    let replaced = |text: &str| text.matches("was replaced").count();
    server.running.until(|said| replaced(&said.err()) == 2);
    assert!(is_shown(&server, &files.first()).await);
    for _ in 0..100 {
        server.running.signal("HUP");
    }
    server.running.until(|said| said.err().contains("is unchanged"));
    is_served(&server, &files).await;
    assert_ended(&server.stop(), 0, "shutting down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_cannot_be_used_is_kept_out() {
    let (database, files) = (migrated(), Files::new());
    let server = files.serve(&database).serve();
    let first = files.first();
    let (good_certificate, good_key) =
        (read_to_string(files.certificate()).unwrap(), read_to_string(files.key()).unwrap());
    let other = pair(&KeyPair::generate().unwrap(), |_| {});
    let half = other.0[..other.0.len() / 2].to_owned();
    for (number, (certificate, key, told)) in [
        (&good_certificate, other.1.as_str(), "is not that of the certificate"),
        (&other.0, good_key.as_str(), "is not that of the certificate"),
        (&half, good_key.as_str(), "(`tls-certificate`) is no PEM file, or only a part of one"),
        (&String::new(), good_key.as_str(), "holds no certificate"),
        (&good_certificate, "", "holds no private key"),
    ]
    .into_iter()
    .enumerate()
    {
        write(files.certificate(), certificate).unwrap();
        write(files.key(), key).unwrap();
        server.running.signal("HUP");
        let said = server.running.until(|said| {
            said.err().matches("was not replaced").count() > number && said.err().contains(told)
        });
        assert!(!said.err().contains("PRIVATE KEY-----"));
        assert!(is_shown(&server, &first).await, "{told}");
    }
    std::fs::remove_file(files.certificate()).unwrap();
    server.running.until(|said| said.err().contains("cannot read"));
    assert!(is_shown(&server, &first).await);
    files.renew();
    let renewed = files.first();
    eventually("the next good pair is taken", || {
        server.running.until(|_| true).err().contains("was replaced")
    })
    .await;
    assert!(is_shown(&server, &renewed).await);
}

#[test]
fn a_server_does_not_start_with_a_pair_that_cannot_be_used() {
    let (database, files) = (migrated(), Files::new());
    let (certificate, key) = (files.certificate(), files.key());
    let good = read_to_string(&key).unwrap();
    let encrypted = {
        let pass = ["pkcs8", "-topk8", "-passout", "pass:x", "-in", text(&key)];
        openssl(&pass)
    };
    for (content, told) in [
        (pair(&KeyPair::generate().unwrap(), |_| {}).1, "is not that of the certificate"),
        (encrypted, "is encrypted; write it without a passphrase"),
        ("nonsense".to_owned(), "holds no private key"),
        (good.replace("PRIVATE", "PUBLIC"), "holds no private key"),
    ] {
        write(&key, content).unwrap();
        assert_ended(&files.serve(&database).run(), 1, told);
    }
    std::fs::remove_file(&key).unwrap();
    assert_ended(&files.serve(&database).run(), 1, "key.pem (`tls-key`)");
    let alone = ["serve", "--tls-certificate", text(&certificate)];
    assert_ended(&Binary::on(&database, &alone).run(), 2, "--tls-key");
}

#[test]
fn the_end_of_a_certificate_is_reported() {
    let (database, files) = (migrated(), Files::new());
    let soon = SystemClock.now() + TimeDelta::days(3);
    let until = |year, month, day| {
        move |params: &mut CertificateParams| {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(year, month, day);
        }
    };
    let (month, day) = (u8::try_from(soon.month()).unwrap(), u8::try_from(soon.day()).unwrap());
    for (year, month, day, told) in [
        (2001, 1, 1, "has expired on 2001-01-01"),
        (soon.year(), month, day, "(`tls-certificate`) expires on "),
    ] {
        let (certificate, key) = pair(&KeyPair::generate().unwrap(), until(year, month, day));
        write(files.certificate(), certificate).unwrap();
        write(files.key(), key).unwrap();
        assert_ended(&files.serve(&database).serve().stop(), 0, told);
    }
    files.renew();
    let ended = files.serve(&database).serve().stop();
    assert!(!ended.stderr.contains("expire"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_does_not_end_delays_nobody() {
    let (database, files) = (migrated(), Files::new());
    let server = files.serve(&database).args(&["--request-timeout", "1s"]).serve();
    let mut stuck = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // The start of a record that never ends.
        stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        stuck.push(stream);
    }
    for _ in 0..10 {
        is_served(&server, &files).await;
    }
    for mut stream in stuck {
        let mut rest = Vec::new();
        let _may_be_reset = stream.read_to_end(&mut rest).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_and_key_can_stand_in_the_environment_and_in_the_file() {
    let (database, files) = (migrated(), Files::new());
    let (certificate, key) = (files.certificate(), files.key());
    let by_variables = Binary::on(&database, &["serve"])
        .env("TOKENWRIGHT_TLS_CERTIFICATE", text(&certificate))
        .env("TOKENWRIGHT_TLS_KEY", text(&key));
    is_served(&by_variables.serve(), &files).await;
    let settings = files.folder.path().join("s.toml");
    let lines = format!("tls-certificate = {certificate:?}\ntls-key = {key:?}\n");
    write(&settings, lines).unwrap();
    let by_file = Binary::on(&database, &["serve", "--config", text(&settings)]);
    is_served(&by_file.serve(), &files).await;
}

#[test]
fn the_health_check_speaks_it() {
    let (database, files) = (migrated(), Files::new());
    let server = files.serve(&database).serve();
    let listen = server.address.to_string();
    let check = |more: &[&str]| {
        Binary::new(database.folder(), &["healthcheck", "--listen", &listen]).args(more).run()
    };
    let certificate = files.certificate();
    assert_ended(&check(&["--tls-certificate", text(&certificate)]), 0, "");
    assert_ended(&check(&[]), 1, "is not ready");
}

#[test]
fn tokens_without_tls_on_a_public_address_are_warned_about() {
    let (database, files) = (migrated(), Files::new());
    let on = |address: &str, binary: Binary| {
        let running = binary.args(&["--listen", address]).start();
        running.listening();
        running.signal("TERM");
        running.wait().stderr
    };
    let serve = || Binary::on(&database, &["serve"]);
    let told = "tokens travel unencrypted: set tls-certificate and tls-key";
    assert!(on("0.0.0.0:0", serve()).contains(told));
    assert!(!on("127.0.0.1:0", serve()).contains(told));
    let proxied = serve().args(&["--trusted-proxies", "10.0.0.1"]);
    assert!(!on("0.0.0.0:0", proxied).contains(told));
    assert!(!on("0.0.0.0:0", files.serve(&database)).contains(told));
}
