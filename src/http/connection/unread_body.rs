//! Keeps the body of a request until its answer is sent.
//!
//! A handler may answer without having read the whole body. Once the body is dropped, actix-http
//! drains what is left of it, without a bound on time where it comes in chunks; while it is held,
//! the connection is closed a second after the answer.

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
    let shared = Rc::new(RefCell::new(request.take_payload()));
    let activity = request.request().conn_data::<Activity>().cloned();
    let payload = Box::pin(Shared { payload: Rc::clone(&shared), activity });
    request.set_payload(Payload::Stream { payload });
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| Holding { body: body.boxed(), _unread: shared }))
}

/// The request's body, as the handler reads it.
struct Shared {
    payload: Rc<RefCell<Payload>>,
    activity: Option<Activity>,
}

impl Stream for Shared {
    type Item = Result<web::Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut *self.payload.borrow_mut()).poll_next(cx);
        if let (Poll::Pending, Some(activity)) = (&next, &self.activity) {
            activity.taken();
        }
        next
    }
}

/// The answer's body, with the request's.
struct Holding {
    body: BoxBody,
    _unread: Rc<RefCell<Payload>>,
}

impl MessageBody for Holding {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
