//! Clients that hold a connection without asking for anything.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::{Options, TestApp, exchange};

const WHOLE: &[u8] = b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n";
const HALF: &[u8] = b"GET /livez HTTP/1.1\r\nHost: he";
const LAST: &[u8] = b"GET /livez HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";

async fn impatient() -> TestApp {
    TestApp::with(Options { request_timeout: Duration::from_secs(1), ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_head_is_not_waited_for() {
    let app = impatient().await;
    exchange(app.address, &[HALF]);
}

/// Asks once and reads the answer, then sends half a head and waits for the server to end it.
fn ask_once_then_half(address: SocketAddr) -> std::io::Result<usize> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(Duration::from_secs(30)))?;
    connection.write_all(WHOLE)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte)?;
        answer.extend(byte);
    }
    connection.write_all(HALF)?;
    connection.read_to_end(&mut answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_head_is_not_waited_for_on_a_later_request_either() {
    let app = impatient().await;
    let address = app.address;
    let ended = tokio::task::spawn_blocking(move || ask_once_then_half(address)).await.unwrap();
    let held = ended.is_err_and(|error| error.kind() != std::io::ErrorKind::ConnectionReset);
    assert!(!held, "the server holds the connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_used_stays_open() {
    let app = impatient().await;
    let answer = exchange(app.address, &[WHOLE, WHOLE, WHOLE, LAST]);
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 4);
}
