//! Offers to change the protocol are declined, and the connection goes on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::{TestApp, exchange};

const QUERY: &str = r#"{"query":"{ __typename }"}"#;
const ANSWERED: &str = r#"{"data":{"__typename":"Query"}}"#;
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection, on which requests follow each other.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The head of the next answer, and its body.
    fn answer(&mut self) -> (String, String) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "the connection ended: {head:?}");
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        (head, String::from_utf8(body).unwrap())
    }

    #[track_caller]
    fn assert_answered(&mut self, to: &str) {
        let (head, body) = self.answer();
        assert!(head.starts_with("HTTP/1.1 200 "), "{to}: {head}");
        assert!(!head.contains("upgrade") && !head.contains("connection:"), "{to}: {head}");
        assert_eq!(body, ANSWERED, "{to}");
    }
}

fn get(lines: &str) -> String {
    format!("GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nhost: x\r\n{lines}\r\n")
}

fn post(lines: &str) -> String {
    let length = QUERY.len();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{lines}\r\n{QUERY}"
    )
}

fn chunked(lines: &str) -> String {
    let (one, other) = QUERY.split_at(7);
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{lines}\
         transfer-encoding: chunked\r\n\r\n7\r\n{one}\r\n{:x};a=b\r\n{other}\r\n0\r\n\r\n",
        other.len()
    )
}

const OFFERS: [&str; 10] = [
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n",
    "Connection: upgrade\r\n",
    "Upgrade: websocket\r\n",
    "connection: keep-alive, uPgRaDe\r\nupgrade: WebSocket\r\n",
    "connection: upgrade , keep-alive\r\nupgrade: h2c, websocket\r\n",
    "connection: keep-alive\r\nconnection:upgrade\r\nupgrade: h2c\r\n",
    "connection: ,, upgrade,\r\nupgrade: TLS/1.0\r\n",
    "upgrade: h2c\r\nupgrade: websocket\r\nconnection: upgrade\r\nconnection: upgrade\r\n",
    "connection:\tupgrade\t\r\nupgrade:\twebsocket\r\n",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_upgrade_leaves_the_connection_as_it_is() {
    let app = TestApp::start().await;
    for offer in OFFERS {
        let mut connection = Connection::open(app.address);
        for request in [get(offer), post(offer), chunked(offer), get(""), post("")] {
            connection.send(&request);
            connection.assert_answered(&request);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_may_follow_an_offer_before_its_answer() {
    let app = TestApp::start().await;
    for offer in OFFERS {
        let mut connection = Connection::open(app.address);
        connection.send(&[post(offer), get(offer), chunked(offer), get("")].concat());
        for _ in 0..4 {
            connection.assert_answered(offer);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_to_close_is_closed() {
    let app = TestApp::start().await;
    for lines in ["connection: close, upgrade\r\n", "connection: upgrade\r\nconnection: close\r\n"]
    {
        let answer = exchange(app.address, &[get(lines).as_bytes()]);
        assert!(answer.contains("connection: close") && answer.ends_with(ANSWERED), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_ends_with_carriage_return_and_line_feed() {
    let app = TestApp::start().await;
    for request in [
        "GET /livez HTTP/1.1\nhost: x\r\n\r\n",
        "GET /livez HTTP/1.1\r\nhost: x\nx-a: b\r\n\r\n",
        "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\n\r\n",
        "GET /livez HTTP/1.1\r\nhost: x\r\nx-a: b\n\n",
        "GET /livez HTTP/1.1\nhost: x\n\n",
    ] {
        let answer = exchange(app.address, &[request.as_bytes(), b"\r\n\r\n"]);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request:?}: {answer}");
    }
}
