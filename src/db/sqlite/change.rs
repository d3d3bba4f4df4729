//! A change that waits for the writer: its body, and who is told what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;
use tracing::Span;

use super::link::SqliteLink;
use crate::db::DbError;

/// A change, whatever its body answers.
pub(super) trait Change: Send {
    /// Takes it from whoever may withdraw it; `false` if it was withdrawn.
    fn begin(&self) -> bool;

    /// Runs the body in the open transaction: is what it wrote to be kept?
    fn run(&mut self, link: &mut SqliteLink) -> bool;

    /// Tells what the body answered, or why that does not count.
    fn tell(self: Box<Self>, ended: Result<(), DbError>);
}

/// The side of whoever waits for the answer.
pub(super) struct Awaited<T> {
    pub(super) answer: oneshot::Receiver<Result<T, DbError>>,
    pub(super) claim: Claim,
}

/// Whoever claims a change first has it: the one who runs it, or the one who withdraws it.
pub(super) struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Withdraws the change; `false` if it runs already.
    pub(super) fn withdraw(&self) -> bool {
        claim(&self.0)
    }
}

/// A request that is given up before its change begins leaves nothing behind.
impl Drop for Claim {
    fn drop(&mut self) {
        self.withdraw();
    }
}

fn claim(claimed: &AtomicBool) -> bool {
    !claimed.swap(true, Ordering::AcqRel)
}

struct Waiting<T, F> {
    body: Option<F>,
    answer: Option<Result<T, DbError>>,
    told: oneshot::Sender<Result<T, DbError>>,
    claimed: Arc<AtomicBool>,
    span: Span,
}

/// A change with this body, and what is to be waited for.
pub(super) fn change<T, F>(body: F) -> (Box<dyn Change>, Awaited<T>)
where
    T: Send + 'static,
    F: FnOnce(&mut SqliteLink) -> Result<T, DbError> + Send + 'static,
{
    let (told, answer) = oneshot::channel();
    let claimed = Arc::new(AtomicBool::new(false));
    let claim = Claim(Arc::clone(&claimed));
    let waiting = Waiting { body: Some(body), answer: None, told, claimed, span: Span::current() };
    (Box::new(waiting), Awaited { answer, claim })
}

impl<T, F> Change for Waiting<T, F>
where
    T: Send,
    F: FnOnce(&mut SqliteLink) -> Result<T, DbError> + Send,
{
    fn begin(&self) -> bool {
        claim(&self.claimed)
    }

    fn run(&mut self, link: &mut SqliteLink) -> bool {
        let Some(body) = self.body.take() else { return false };
        let answer = self.span.in_scope(|| body(link));
        let kept = answer.is_ok();
        self.answer = Some(answer);
        kept
    }

    fn tell(self: Box<Self>, ended: Result<(), DbError>) {
        let answer = match (ended, self.answer) {
            (Ok(()), Some(answer)) => answer,
            // It counts more what went wrong with the change itself.
            (Err(_), Some(Err(error))) | (Err(error), _) => Err(error),
            (Ok(()), None) => Err(DbError::OperationPanicked),
        };
        // Nobody waits for it any more if this fails.
        let _told = self.told.send(answer);
    }
}
