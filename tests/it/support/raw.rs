//! HTTP as bytes, for what a client library would not send.

use std::io::ErrorKind::{TimedOut, WouldBlock};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use tokio::net::TcpSocket;

/// A server that has answered and still holds the connection after this time holds it forever.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends the parts one after the other, for as long as the server takes them, while reading the
/// answer up to the end of the connection, which the server must close.
pub fn exchange(address: SocketAddr, parts: &[&[u8]]) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut sending = connection.try_clone().unwrap();
    let (answer, ended) = std::thread::scope(|scope| {
        scope.spawn(move || parts.iter().try_for_each(|part| sending.write_all(part)));
        let mut answer = Vec::new();
        let ended = connection.read_to_end(&mut answer);
        let _already_cut = connection.shutdown(Shutdown::Both);
        (String::from_utf8(answer).unwrap(), ended)
    });
    // A connection that is cut after the answer has ended, too.
    let held = ended.is_err_and(|error| matches!(error.kind(), WouldBlock | TimedOut));
    assert!(!held, "the server holds the connection: {answer}");
    answer
}

/// Connects from an address of this machine.
pub async fn connect_from(from: [u8; 4], to: SocketAddr) -> tokio::net::TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}
