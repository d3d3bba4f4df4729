//! Keeps the body of a request until its answer is sent.
//!
//! A handler may answer without having read the whole body. Once the body is dropped, actix-http
//! drains what is left of it, without a bound on time where it comes in chunks; while it is held,
//! the connection is closed some seconds after the answer.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use futures_util::Stream;

use super::activity::Activity;

/// Wraps every request.
pub(in crate::http) async fn unread_body(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let body = match request.take_payload() {
        Payload::None => None,
        payload => {
            let activity = request.request().conn_data::<Activity>().cloned();
            let body = Rc::new(RefCell::new(Unread { payload, ended: false, activity }));
            let payload = Box::pin(Shared(Rc::clone(&body)));
            request.set_payload(Payload::Stream { payload });
            Some(body)
        }
    };
    let response = next.call(request).await?;
    if body.as_ref().is_some_and(|body| !body.borrow().ended) {
        // The library decodes a body after the handler's first turn. One that came with its head is
        // whole then, and an answer that did not need it leaves the connection open.
        tokio::task::yield_now().await;
    }
    Ok(response.map_body(|_, answer| Holding { answer: answer.boxed(), _unread: body }))
}

/// The request's body.
struct Unread {
    payload: Payload,
    /// Its last byte was read.
    ended: bool,
    activity: Option<Activity>,
}

/// The same as the handler reads it.
struct Shared(Rc<RefCell<Unread>>);

impl Stream for Shared {
    type Item = Result<web::Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut body = self.0.borrow_mut();
        let next = Pin::new(&mut body.payload).poll_next(cx);
        body.ended |= matches!(next, Poll::Ready(None));
        if let (Poll::Pending, Some(activity)) = (&next, &body.activity) {
            activity.taken();
        }
        next
    }
}

/// The answer's body, with the request's.
struct Holding {
    answer: BoxBody,
    _unread: Option<Rc<RefCell<Unread>>>,
}

impl MessageBody for Holding {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}
