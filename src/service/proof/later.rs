//! Work on proven secrets that no request waits for.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::threads::{HashThreads, HashesFor};

/// Most jobs that wait. A job is about 1 KB.
const WAITING: usize = 4_096;

/// Runs jobs one after the other, on a thread that yields to all others.
#[derive(Clone)]
pub(super) struct Later {
    places: Arc<Semaphore>,
    worker: Arc<Semaphore>,
    threads: Arc<HashThreads>,
    runtime: Handle,
}

impl Later {
    pub(super) fn new(runtime: Handle) -> Self {
        let threads = Arc::new(HashThreads::new(1, HashesFor::Nobody, runtime.clone()));
        let places = Arc::new(Semaphore::new(WAITING));
        Self { places, worker: Arc::new(Semaphore::new(1)), threads, runtime }
    }

    /// How many jobs run or wait.
    pub(super) fn waiting(&self) -> usize {
        WAITING.saturating_sub(self.places.available_permits())
    }

    /// Runs the job later; `false` if too many wait, and the job is dropped.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) -> bool {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return false };
        let (worker, threads) = (Arc::clone(&self.worker), Arc::clone(&self.threads));
        self.runtime.spawn(async move {
            let Ok(turn) = worker.acquire_owned().await else { return };
            threads.run(move || {
                job();
                drop((place, turn));
            });
        });
        true
    }
}
