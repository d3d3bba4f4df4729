//! What is sent to the client: one piece waits at most. The next one is taken once the connection
//! has room, so who sends notices a client that does not read.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::ws::{Codec, Message};
use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{Bytes, BytesMut};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use tokio_util::codec::Encoder;

use super::close::Close;
use crate::graphql::Delivery;

/// A piece, and what it occupies until the connection has taken it.
struct Piece {
    bytes: Bytes,
    delivery: Option<Delivery>,
}

/// Where messages to the client are given.
pub(super) struct ToClient(Sender<Piece>);

/// The same as the connection takes it: the body of the answer to the handshake.
pub(super) struct Outgoing {
    pieces: Receiver<Piece>,
    being_sent: Option<Delivery>,
}

/// Both ends.
pub(super) fn outgoing() -> (ToClient, Outgoing) {
    let (sender, pieces) = channel(1);
    (ToClient(sender), Outgoing { pieces, being_sent: None })
}

impl ToClient {
    /// Sends a message, if the client takes the ones before it in this time.
    pub(super) async fn send(
        &self,
        message: Message,
        delivery: Option<Delivery>,
        within: Duration,
    ) -> Result<(), Close> {
        let mut bytes = BytesMut::new();
        Codec::new().encode(message, &mut bytes).map_err(|_| Close::Defect)?;
        let piece = Piece { bytes: bytes.freeze(), delivery };
        let sent = timeout(within, self.0.send(piece)).await;
        sent.map_err(|_| Close::Silent)?.map_err(|_| Close::Lost)
    }
}

impl MessageBody for Outgoing {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.being_sent = None;
        self.pieces.poll_recv(cx).map(|piece| {
            let Piece { bytes, delivery } = piece?;
            self.being_sent = delivery;
            Some(Ok(bytes))
        })
    }
}
