//! The body of an answer, piece by piece: the connection holds one piece at a time, and what is
//! sent is freed. A client that does not read ends with its connection (`connection::socket`).

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

use crate::graphql::Answer;

/// An answer as a body.
pub(super) struct AnswerBody {
    length: u64,
    rest: Answer,
}

impl From<Answer> for AnswerBody {
    fn from(answer: Answer) -> Self {
        Self { length: answer.length(), rest: answer }
    }
}

impl MessageBody for AnswerBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.rest.next().map(|piece| Ok(piece.into())))
    }
}
