//! At most one question about a token is on its way at a time.
//!
//! Who asks while one is on its way does not get its answer: that may have been found before a
//! change that the asker already knows of. All who ask meanwhile share the next one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{Answer, Question, Refusal};

type Sender = watch::Sender<Option<Answer>>;
type Receiver = watch::Receiver<Option<Answer>>;

/// The questions that are on their way, each with the one that follows it, if somebody waits.
type Running = HashMap<Question, Option<(Sender, Receiver)>>;

#[derive(Clone, Default)]
pub(crate) struct Flights(Arc<Mutex<Running>>);

impl Flights {
    /// The answer to a question that is asked after this call began. `ask` makes what asks it, as
    /// often as it is called; it goes on when the caller does not.
    pub(crate) async fn join<F, A>(&self, question: Question, ask: impl FnOnce() -> A) -> Answer
    where
        A: FnMut() -> F + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let mut answer = self.board(question, ask);
        match answer.wait_for(Option::is_some).await {
            Ok(answer) => answer.clone().unwrap_or(Err(Refusal::Unavailable)),
            Err(_) => Err(Refusal::Unavailable),
        }
    }

    fn board<F, A>(&self, question: Question, ask: impl FnOnce() -> A) -> Receiver
    where
        A: FnMut() -> F + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let mut running = self.running();
        if let Some(next) = running.get_mut(&question) {
            return next.get_or_insert_with(|| watch::channel(None)).1.clone();
        }
        running.insert(question, None);
        drop(running);
        let (sender, receiver) = watch::channel(None);
        let flight = Flight { question, flights: self.clone(), landed: false };
        tokio::spawn(flight.run(sender, ask()));
        receiver
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that is on its way. However it ends, the next one can start.
struct Flight {
    question: Question,
    flights: Flights,
    landed: bool,
}

impl Flight {
    async fn run<F, A>(mut self, mut sender: Sender, mut ask: A)
    where
        A: FnMut() -> F,
        F: Future<Output = Answer>,
    {
        loop {
            let answer = ask().await;
            // Nobody may be left to hear it.
            let _ = sender.send(Some(answer));
            match self.next() {
                Some(next) => sender = next,
                None => return,
            }
        }
    }
}

impl Flight {
    /// Whom the next answer is for. Where nobody waits, the question is at its end.
    fn next(&mut self) -> Option<Sender> {
        let mut running = self.flights.running();
        let next = running.get_mut(&self.question).and_then(Option::take);
        if next.is_none() {
            running.remove(&self.question);
            self.landed = true;
        }
        next.map(|(sender, _)| sender)
    }
}

impl Drop for Flight {
    /// The task may also be ended in the middle, with its runtime. Who waits then learns it by the
    /// end of the sender.
    fn drop(&mut self) {
        if !self.landed {
            self.flights.running().remove(&self.question);
        }
    }
}
