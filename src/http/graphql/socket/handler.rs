//! The handler of async-graphql-actix-web, as its client meets it: the relay.

use std::future::poll_fn;
use std::pin::Pin;

use actix_http::ws::{Codec, Frame, Message};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse};
use async_graphql_actix_web::GraphQLSubscription;
use futures_util::stream;
use tokio::sync::mpsc::{Sender, channel};
use tokio_util::codec::{Decoder, Encoder};

use super::close::Close;
use crate::graphql::Subscriptions;

/// Messages that wait until the handler reads them. The relay sends one at a time, and answers
/// pings.
const WAITING: usize = 4;
/// Bytes of the largest message: no answer is larger than that.
const MOST: usize = 64 * 1024 * 1024;

/// The handler of one socket.
pub(super) struct Handler {
    to: Sender<Result<Bytes, PayloadError>>,
    from: Pin<Box<BoxBody>>,
    buffer: BytesMut,
    codec: Codec,
}

/// Has the handler accept the offer: its answer, and the handler behind it.
pub(super) async fn start(
    request: &HttpRequest,
    subscriptions: Subscriptions,
) -> Result<(HttpResponse<()>, Handler), Error> {
    let (to, mut sent) = channel(WAITING);
    let sent = stream::poll_fn(move |cx| sent.poll_recv(cx));
    let mut payload: Payload = Payload::Stream { payload: Box::pin(sent) };
    let payload = web::Payload::from_request(request, &mut payload).await?;
    let response = GraphQLSubscription::new(subscriptions).start(request, payload)?;
    let (response, body) = response.into_parts();
    let codec = Codec::new().client_mode().max_size(MOST);
    let handler = Handler { to, from: Box::pin(body), buffer: BytesMut::new(), codec };
    Ok((response, handler))
}

impl Handler {
    /// Sends a message.
    pub(super) async fn send(&mut self, text: String) -> Result<(), Close> {
        let frame = encoded(Message::Text(text.into()))?;
        self.to.send(Ok(frame)).await.map_err(|_| Close::Defect)
    }

    /// The next message, in JSON. Nothing is lost where the wait is given up.
    pub(super) async fn next(&mut self) -> Result<Bytes, Close> {
        loop {
            match self.codec.decode(&mut self.buffer).map_err(|_| Close::Defect)? {
                Some(Frame::Text(text)) => return Ok(text),
                // Every few seconds. It ends where nobody answers.
                Some(Frame::Ping(bytes)) => {
                    let pong = encoded(Message::Pong(bytes))?;
                    self.to.try_send(Ok(pong)).map_err(|_| Close::Defect)?;
                }
                Some(Frame::Close(_)) => return Err(Close::Defect),
                Some(_) => {}
                None => match poll_fn(|cx| self.from.as_mut().poll_next(cx)).await {
                    // Mostly a whole message, which is then not copied.
                    Some(Ok(bytes)) if self.buffer.is_empty() => self.buffer = bytes.into(),
                    Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                    Some(Err(_)) | None => return Err(Close::Defect),
                },
            }
        }
    }
}

fn encoded(message: Message) -> Result<Bytes, Close> {
    let mut bytes = BytesMut::new();
    let encoded = Codec::new().client_mode().encode(message, &mut bytes);
    encoded.map(|()| bytes.freeze()).map_err(|_| Close::Defect)
}
