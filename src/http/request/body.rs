//! Reading the body of a request.

use std::task::Poll;
use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web;
use futures_util::future::poll_fn;
use futures_util::{FutureExt, StreamExt};
use tokio::time::timeout;

use super::room::{Arriving, Share};
use crate::http::refusal::Refusal;
use crate::service::Arrival;

/// Largest body: ample for any document and its variables.
const MAX_BODY: usize = 64 * 1024;

/// A body that was read.
pub(in crate::http) struct Body {
    pub(in crate::http) bytes: web::BytesMut,
    /// Did it have to be waited for?
    pub(in crate::http) arrival: Arrival,
    _room: Arriving,
}

/// Reads a body within its limits of size and time.
pub(in crate::http) async fn read_body(
    headers: &HeaderMap,
    mut body: web::Payload,
    limit: Duration,
    share: &Share,
) -> Result<Body, Refusal> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: usize| length > MAX_BODY)
    {
        return Err(Refusal::BodyTooLarge);
    }
    let reading = async {
        let (mut bytes, mut arrival) = (web::BytesMut::new(), Arrival::WithHead);
        let mut room = share.arriving();
        loop {
            let mut next = body.next().now_or_never();
            if next.is_none() {
                // What came with the head may not be decoded yet: the handler runs before that.
                step_aside().await;
                next = body.next().now_or_never();
            }
            let next = match next {
                Some(next) => next,
                None => {
                    arrival = Arrival::Later;
                    body.next().await
                }
            };
            let Some(chunk) = next else { break };
            let chunk = chunk.map_err(|_| Refusal::BodyBroken)?;
            if bytes.len() + chunk.len() > MAX_BODY {
                return Err(Refusal::BodyTooLarge);
            }
            room.hold(bytes.len() + chunk.len())?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(Body { bytes, arrival, _room: room })
    };
    timeout(limit, reading).await.unwrap_or(Err(Refusal::BodyTooSlow))
}

/// Lets whatever polls this go on, and is ready the next time. tokio's `yield_now` asks the operating
/// system for events first: a call for each request.
async fn step_aside() {
    let mut asked = false;
    poll_fn(|context| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
