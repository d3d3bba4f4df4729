//! What one connection, and all of them, may take, and their orderly end.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use h2::client::{Builder, SendRequest};
use h2::{RecvStream, SendStream};
use serde_json::json;
use tokenwright::surface::ConnectionLimits;
use tonic::codegen::http::{Request as Head, Response};
use tonic::{Code, Request};

use super::{READ, made, with_envoy};
use crate::support::{Binary, Envoy, Options, Said, TestApp, eventually, migrated};

/// What every client of HTTP/2 sends first (RFC 9113, section 3.4), and settings without content.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// A message of gRPC without content: a question about nothing.
const NOTHING: &[u8] = &[0; 5];

/// An application that waits a second at most.
async fn impatient() -> TestApp {
    TestApp::with(Options { request_timeout: Duration::from_secs(1), ..Options::default() }).await
}

/// A connection on which a test decides what is sent when.
async fn connect(address: SocketAddr) -> SendRequest<&'static [u8]> {
    let socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let (sender, connection) = Builder::new().handshake(socket).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// A question of which only the head is sent.
fn begun(
    sender: &mut SendRequest<&'static [u8]>,
) -> (h2::client::ResponseFuture, SendStream<&'static [u8]>) {
    let head = Head::post("http://here/envoy.service.auth.v3.Authorization/Check")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    sender.send_request(head.body(()).unwrap(), false).unwrap()
}

/// The code of gRPC in an answer, and what came before it.
async fn ended(answer: Response<RecvStream>) -> (String, Vec<u8>) {
    let (head, mut body) = answer.into_parts();
    let mut came = Vec::new();
    while let Some(bytes) = body.data().await {
        came.extend_from_slice(&bytes.unwrap());
    }
    let trailers = body.trailers().await.unwrap();
    let code = head.headers.get("grpc-status").cloned();
    let code = code.or_else(|| trailers?.get("grpc-status").cloned()).unwrap();
    (code.to_str().unwrap().to_owned(), came)
}

/// Sends this and nothing else, and waits for the server to end the connection.
async fn is_held(address: SocketAddr, sent: &'static [u8]) -> bool {
    let read = tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        connection.write_all(sent).unwrap();
        connection.read_to_end(&mut Vec::new())
    });
    read.await.unwrap().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_connects_and_says_nothing_whole_is_not_waited_for() {
    let app = impatient().await;
    for sent in [b"".as_slice(), b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r", b"GET / HTTP/1.1\r\n"] {
        assert!(!is_held(app.ext_authz, sent).await, "{:?}", String::from_utf8_lossy(sent));
    }
}

/// The server asks a quiet connection only after a minute whether its peer is still there.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_began_as_it_should_may_be_quiet() {
    let app = impatient().await;
    let mut connection = TcpStream::connect(app.ext_authz).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    connection.write_all(PREFACE).unwrap();
    let ended = connection.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::WouldBlock, "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_begun_and_not_ended_is_not_waited_for() {
    let app = impatient().await;
    let mut sender = connect(app.ext_authz).await;
    for sent in [&b""[..], &NOTHING[..3], b"\0\0\0\0\x09\x0a"] {
        let (answer, mut rest) = begun(&mut sender);
        rest.send_data(sent, false).unwrap();
        let (code, came) = ended(answer.await.unwrap()).await;
        assert_ne!(code, "0", "{sent:?}");
        assert_eq!(came, b"");
    }
    // The connection is still good for others.
    let (answer, mut rest) = begun(&mut sender);
    rest.send_data(NOTHING, true).unwrap();
    assert_eq!(ended(answer.await.unwrap()).await.0, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_has_so_many_questions_at_once() {
    let app = TestApp::start().await;
    let sender = connect(app.ext_authz).await;
    eventually("its settings have come", || sender.current_max_send_streams() == 256).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_too_large_is_not_read() {
    let app = with_envoy().await;
    let reader = made(&app, "reader", json!({})).await;
    let envoy = Envoy::of(&app).await;
    let said = |size| Said::bearer(&reader, READ).with("x-large", &"x".repeat(size)).question();
    assert_eq!(envoy.check(said(200 * 1024)).await.unwrap().status, 200);
    let refused = envoy.check(said(300 * 1024)).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
    assert_eq!(envoy.check(said(0)).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_too_large_are_not_read() {
    let app = with_envoy().await;
    let reader = made(&app, "reader", json!({})).await;
    let envoy = Envoy::of(&app).await;
    let with = |size| {
        let mut request = Request::new(Said::bearer(&reader, READ).question());
        request.metadata_mut().insert("x-large", "x".repeat(size).parse().unwrap());
        request
    };
    assert_eq!(envoy.check(with(12 * 1024)).await.unwrap().status, 200);
    assert!(envoy.check(with(20 * 1024)).await.is_err());
    assert_eq!(envoy.check(with(0)).await.unwrap().status, 200, "on the same connection");
}

/// A connection that the server closes at once ends before the settings of the server.
async fn is_admitted(address: SocketAddr) -> Option<TcpStream> {
    let opened = tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // The server may have closed it already.
        let _closed = connection.write_all(PREFACE);
        connection.read_exact(&mut [0; 9]).is_ok().then_some(connection)
    });
    opened.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_count_with_those_to_the_other_listener() {
    let connections = ConnectionLimits { all: 4, per_address: 3 };
    let app = TestApp::with(Options { connections, ..Options::default() }).await;
    let first = is_admitted(app.ext_authz).await;
    let second = is_admitted(app.ext_authz).await;
    assert!(first.is_some() && second.is_some());
    let http = TcpStream::connect(app.address).unwrap();
    (&http).write_all(b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    (&http).read_exact(&mut [0; 15]).unwrap();
    assert!(is_admitted(app.ext_authz).await.is_none());
    drop(first);
    let mut again = None;
    while again.is_none() {
        again = is_admitted(app.ext_authz).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_at_the_end_is_answered() {
    let database = migrated();
    let serve = ["serve", "--ext-authz-listen", "127.0.0.1:0", "--shutdown-timeout", "60s"];
    let server = Binary::on(&database, &serve).serve();
    let address = server.running.until(|said| said.asked_at().is_some()).asked_at().unwrap();
    let mut sender = connect(address).await;
    let quiet = connect(address).await;
    // Answered, so the next one is behind it on the way to the server.
    let (answer, mut rest) = begun(&mut sender);
    rest.send_data(NOTHING, true).unwrap();
    assert_eq!(ended(answer.await.unwrap()).await.0, "0");
    let (answer, mut rest) = begun(&mut sender);
    rest.send_data(&NOTHING[..3], false).unwrap();
    let (other, mut second) = begun(&mut sender);
    second.send_data(NOTHING, true).unwrap();
    assert_eq!(ended(other.await.unwrap()).await.0, "0");

    server.running.signal("TERM");
    eventually("it takes nothing new", || TcpStream::connect(address).is_err()).await;
    rest.send_data(&NOTHING[3..], true).unwrap();
    let (code, came) = ended(answer.await.unwrap()).await;
    assert_eq!(code, "0");
    assert!(came.windows(16).any(|part| part == b"www-authenticate"));
    let stopped = tokio::task::spawn_blocking(move || server.running.wait()).await.unwrap();
    assert_eq!(stopped.code, Some(0), "{}", stopped.stderr);
    assert!(!stopped.stderr.contains("did not end in time"), "{}", stopped.stderr);
    drop(quiet);
}
