//! A WebSocket as bytes, for what a client library would not send.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::TestApp;

/// Nothing takes that long, and no test hangs.
const LIMIT: Duration = Duration::from_secs(30);
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// The header lines of an offer that is accepted.
pub const OFFER: &str = "connection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    sec-websocket-protocol: graphql-transport-ws\r\n";

/// A socket that the server has accepted.
pub struct WebSocket {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What the server sends.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Text(Value),
    Pong(Vec<u8>),
    /// The code.
    Close(u16),
    /// The connection has ended.
    Ended,
}

impl WebSocket {
    /// Sends an offer, and returns the head of the answer.
    pub async fn offer(address: SocketAddr, path: &str, lines: &str) -> (Self, String) {
        // So that little is kept for a client that reads nothing.
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8 * 1024).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{lines}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut socket = Self { stream, buffer: Vec::new() };
        let end = loop {
            if let Some(at) = socket.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(socket.read().await, "the connection ended in a head");
        };
        let head = socket.buffer.drain(..end).collect();
        (socket, String::from_utf8(head).unwrap())
    }

    /// A socket without a token.
    pub async fn open(app: &TestApp) -> Self {
        Self::at(app.address).await
    }

    /// The same at any server.
    pub async fn at(address: SocketAddr) -> Self {
        let (socket, head) = Self::offer(address, "/graphql", OFFER).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        assert!(head.contains("sec-websocket-protocol: graphql-transport-ws"), "{head}");
        socket
    }

    /// A socket with this token.
    pub async fn with(app: &TestApp, token: &str) -> Self {
        let mut socket = Self::open(app).await;
        socket.init(token).await;
        assert_eq!(socket.text().await, json!({ "type": "connection_ack" }));
        socket
    }

    /// Sends `connection_init` with a token.
    pub async fn init(&mut self, token: &str) {
        let payload = json!({ "Authorization": format!("Bearer {token}") });
        self.say(json!({ "type": "connection_init", "payload": payload })).await;
    }

    /// Begins a subscription.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    /// Waits until all that was sent has been read and answered: what was begun has begun.
    pub async fn settled(&mut self) {
        self.say(json!({ "type": "ping" })).await;
        assert_eq!(self.text().await, json!({ "type": "pong" }));
    }

    /// Sends a message.
    pub async fn say(&mut self, message: Value) {
        self.frame(0x81, message.to_string().as_bytes()).await;
    }

    /// Sends a masked frame that begins with this byte.
    pub async fn frame(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match payload.len() {
            short @ ..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
            length @ ..0x1_0000 => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.bytes(&frame).await;
    }

    /// Sends any bytes, which the server may have stopped to read.
    pub async fn bytes(&mut self, bytes: &[u8]) {
        let _cut = timeout(LIMIT, self.stream.write_all(bytes)).await.unwrap();
    }

    /// The next message of any kind. Pings are answered, as every client does.
    pub async fn hears(&mut self) -> Heard {
        timeout(LIMIT, self.hears_at_last()).await.unwrap()
    }

    async fn hears_at_last(&mut self) -> Heard {
        loop {
            if let Some((first, payload)) = self.take_frame() {
                match first {
                    0x81 => return Heard::Text(serde_json::from_slice(&payload).unwrap()),
                    0x88 => {
                        // Every client answers it.
                        self.frame(0x88, &payload).await;
                        let code =
                            payload.first_chunk().map_or(0, |code| u16::from_be_bytes(*code));
                        return Heard::Close(code);
                    }
                    0x89 => self.frame(0x8a, &payload).await,
                    0x8a => return Heard::Pong(payload),
                    other => panic!("a frame begins with {other:#x}"),
                }
            } else if !self.read().await {
                return Heard::Ended;
            }
        }
    }

    /// The next message, which is a text.
    pub async fn text(&mut self) -> Value {
        match self.hears().await {
            Heard::Text(text) => text,
            other => panic!("no text: {other:?}"),
        }
    }

    /// The payload of the next message, which is `next` for this subscription.
    pub async fn next(&mut self, id: &str) -> Value {
        let mut text = self.text().await;
        assert_eq!((&text["type"], &text["id"]), (&json!("next"), &json!(id)), "{text}");
        text["payload"].take()
    }

    /// The code that it is closed with, after which nothing comes.
    pub async fn closed(&mut self) -> u16 {
        let code = match self.hears().await {
            Heard::Close(code) => code,
            other => panic!("not closed: {other:?}"),
        };
        assert_eq!(self.hears().await, Heard::Ended);
        code
    }

    /// A whole frame: its first byte and its payload.
    fn take_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = *self.buffer.first()?;
        let (head, length) = match *self.buffer.get(1)? {
            126 => (4, u16::from_be_bytes(*self.buffer.get(2..)?.first_chunk()?).into()),
            127 => {
                let length = u64::from_be_bytes(*self.buffer.get(2..)?.first_chunk()?);
                (10, usize::try_from(length).unwrap())
            }
            short => (2, usize::from(short)),
        };
        if self.buffer.len() < head + length {
            return None;
        }
        let frame: Vec<u8> = self.buffer.drain(..head + length).collect();
        Some((first, frame[head..].to_vec()))
    }

    /// Reads on; false at the end.
    async fn read(&mut self) -> bool {
        let mut piece = [0; 4096];
        // A connection that is reset has ended, too.
        let count = timeout(LIMIT, self.stream.read(&mut piece)).await.unwrap().unwrap_or(0);
        self.buffer.extend(&piece[..count]);
        count > 0
    }
}
