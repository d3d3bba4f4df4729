//! Whether the threads that serve requests still turn: each of them answers when it is asked.
//!
//! A request to the server's own port would show more, but not under a flood, when its connection
//! is refused like any other: then the service manager would end a server that is alive.

use std::sync::{Mutex, PoisonError};

use actix_web::rt;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// A question to one thread.
type Question = oneshot::Sender<()>;

/// The threads that serve requests.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<Vec<UnboundedSender<Question>>>);

impl Pulse {
    /// From now on the thread that calls this is asked, until it ends.
    pub(super) fn join(&self) {
        let (thread, mut questions) = unbounded_channel::<Question>();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        rt::spawn(async move {
            while let Some(question) = questions.recv().await {
                let _asker_is_gone = question.send(());
            }
        });
    }

    /// Returns once every thread has answered; not while one is stuck.
    pub async fn felt(&self) {
        for answer in self.ask() {
            // One that has ended meanwhile is not stuck.
            let _ended = answer.await;
        }
    }

    fn ask(&self) -> Vec<oneshot::Receiver<()>> {
        let mut answers = Vec::new();
        let mut threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| {
            let (question, answer) = oneshot::channel();
            answers.push(answer);
            thread.send(question).is_ok()
        });
        answers
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;
    use std::thread;

    use futures_util::FutureExt;

    use super::*;

    /// A thread that serves until it is told to end, and gets stuck for as long as it is told to.
    fn thread(
        pulse: &Arc<Pulse>,
    ) -> (tokio::sync::mpsc::Sender<mpsc::Receiver<()>>, impl FnOnce()) {
        let (stuck, mut get_stuck) = tokio::sync::mpsc::channel::<mpsc::Receiver<()>>(1);
        let pulse = Arc::clone(pulse);
        let (joined, has_joined) = mpsc::channel();
        let thread = thread::spawn(move || {
            rt::System::new().block_on(async move {
                pulse.join();
                joined.send(()).unwrap();
                while let Some(until) = get_stuck.recv().await {
                    until.recv().unwrap();
                }
            });
        });
        has_joined.recv().unwrap();
        (stuck, move || thread.join().unwrap())
    }

    #[tokio::test]
    async fn a_thread_that_is_stuck_is_noticed_and_one_that_has_ended_is_not_missed() {
        let pulse = Arc::<Pulse>::default();
        pulse.felt().await;
        let (first, first_ends) = thread(&pulse);
        let (second, second_ends) = thread(&pulse);
        pulse.felt().await;
        let (goes_on, until) = mpsc::channel();
        second.send(until).await.unwrap();
        // It has taken what makes it stuck once there is room for another.
        let room = second.reserve().await.unwrap();
        assert!(pulse.felt().now_or_never().is_none());
        goes_on.send(()).unwrap();
        pulse.felt().await;
        drop(room);
        drop(second);
        second_ends();
        pulse.felt().await;
        drop(first);
        first_ends();
        pulse.felt().await;
    }
}
