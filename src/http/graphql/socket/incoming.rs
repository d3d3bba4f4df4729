//! The frames of a client, put together to messages within bounds.
//!
//! The library's decoder waits for the whole of a frame, however large it says that it is, and for
//! the last one of a message, however many there are. So no more is kept than one message may have.

use actix_http::ws::{Codec, Frame, Item, ProtocolError};
use actix_web::web::{self, Bytes, BytesMut};
use futures_util::StreamExt;
use tokio_util::codec::Decoder;

use super::close::Close;

/// The longest head of a frame.
const HEAD: usize = 14;
/// Frames of one message: each costs more than its bytes.
const FRAMES: usize = 1024;
/// The bit of a first byte that is not set where a message goes on in another frame.
const FINAL: u8 = 0b1000_0000;
/// The bit of a first byte that is set in Ping, Pong and Close.
const CONTROL: u8 = 0b0000_1000;

/// What a client sends.
pub(super) struct Incoming {
    payload: web::Payload,
    codec: Codec,
    buffer: BytesMut,
    message: Vec<u8>,
    frames: usize,
    most: usize,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// A message.
    Text(String),
    /// The same bytes are to be sent back.
    Ping(Bytes),
    /// The client is there.
    Pong,
    /// The client closes the socket.
    Closing,
}

impl Incoming {
    /// Messages of at most so many bytes.
    pub(super) fn new(payload: web::Payload, most: usize) -> Self {
        Self {
            payload,
            codec: Codec::new().max_size(most),
            buffer: BytesMut::new(),
            message: Vec::new(),
            frames: 0,
            most,
        }
    }

    /// From now on, messages may have so many bytes.
    pub(super) fn allow(&mut self, most: usize) {
        self.most = most;
        self.codec = self.codec.clone().max_size(most);
    }

    /// What comes next. Nothing is lost where the wait is given up.
    pub(super) async fn next(&mut self) -> Result<Came, Close> {
        loop {
            if let Some(came) = self.decode()? {
                return Ok(came);
            }
            match self.payload.next().await {
                Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                Some(Err(_)) | None => return Err(Close::Lost),
            }
        }
    }

    /// Returns when the client has closed the socket or the connection. What else comes is dropped.
    pub(super) async fn ended(&mut self) {
        loop {
            match self.next().await {
                Ok(Came::Closing) | Err(Close::Lost) => return,
                Ok(_) => {}
                Err(_no_frames_any_longer) => {
                    while let Some(Ok(_)) = self.payload.next().await {}
                    return;
                }
            }
        }
    }

    fn decode(&mut self) -> Result<Option<Came>, Close> {
        loop {
            // The library reports this one in the log as an error of its own.
            let is_cut = |first: &u8| first & FINAL == 0 && first & CONTROL != 0;
            if self.buffer.first().is_some_and(is_cut) {
                return Err(Close::Protocol);
            }
            let frame = self.codec.decode(&mut self.buffer).map_err(fault)?;
            let Some(frame) = frame else {
                if self.buffer.len() > self.most + HEAD {
                    return Err(Close::TooLarge);
                }
                if self.buffer.is_empty() {
                    // Most sockets say little, and keep nothing for it.
                    self.buffer = BytesMut::new();
                }
                return Ok(None);
            };
            match frame {
                Frame::Text(bytes) => return text(bytes.into()).map(Some),
                Frame::Continuation(Item::FirstText(bytes)) => {
                    (self.message, self.frames) = (Vec::new(), 0);
                    self.add(&bytes)?;
                }
                Frame::Continuation(Item::Continue(bytes)) => self.add(&bytes)?,
                Frame::Continuation(Item::Last(bytes)) => {
                    self.add(&bytes)?;
                    return text(std::mem::take(&mut self.message)).map(Some);
                }
                Frame::Ping(bytes) => return Ok(Some(Came::Ping(bytes))),
                Frame::Pong(_) => return Ok(Some(Came::Pong)),
                Frame::Close(_) => return Ok(Some(Came::Closing)),
                Frame::Binary(_) | Frame::Continuation(Item::FirstBinary(_)) => {
                    return Err(Close::BadMessage);
                }
            }
        }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), Close> {
        self.frames += 1;
        if self.message.len() + bytes.len() > self.most || self.frames > FRAMES {
            return Err(Close::TooLarge);
        }
        self.message.extend_from_slice(bytes);
        Ok(())
    }
}

fn text(bytes: Vec<u8>) -> Result<Came, Close> {
    String::from_utf8(bytes).map(Came::Text).map_err(|_| Close::NotText)
}

fn fault(error: ProtocolError) -> Close {
    match error {
        ProtocolError::Overflow => Close::TooLarge,
        _ => Close::Protocol,
    }
}
