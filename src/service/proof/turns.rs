//! Whose turn it is to use a processor for hashing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::ProofBusy;
use crate::domain::id::ApiTokenId;

/// Proofs that may run or wait at once. One more is refused at once, so that a flood of wrong
/// secrets cannot pile up.
const PROOFS: usize = 128;
/// Places for the hashes of new secrets, which a flood of wrong ones cannot take.
const HASHES: usize = 32;
/// Different secrets of one token that may run or wait at once: anybody can make up some for an id
/// that they know, and must not fill the queue with them.
const PER_TOKEN: usize = 4;
/// Longest wait in the queue.
const PATIENCE: Duration = Duration::from_secs(5);

/// Two bounded queues before a few workers.
pub(super) struct Turns {
    proofs: Arc<Semaphore>,
    hashes: Arc<Semaphore>,
    workers: Arc<Semaphore>,
    /// One proof at a time per token.
    tokens: Mutex<HashMap<ApiTokenId, Arc<AsyncMutex<()>>>>,
}

/// Held until the hash function has ended, even when nobody waits for it any more.
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
    _worker: OwnedSemaphorePermit,
    _token: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    pub(super) fn new() -> Self {
        // Half of the cores: requests whose proof is remembered keep the other half.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            proofs: Arc::new(Semaphore::new(PROOFS)),
            hashes: Arc::new(Semaphore::new(HASHES)),
            workers: Arc::new(Semaphore::new((cores / 2).max(1))),
            tokens: Mutex::default(),
        }
    }

    /// Waits to hash a new secret.
    pub(super) async fn to_hash(&self) -> Result<Turn, ProofBusy> {
        self.wait(&self.hashes, None).await
    }

    /// Waits to prove a secret of this token.
    pub(super) async fn to_prove(&self, token: ApiTokenId) -> Result<Turn, ProofBusy> {
        let token = self.lock_of(token)?;
        self.wait(&self.proofs, Some(token)).await
    }

    async fn wait(
        &self,
        queue: &Arc<Semaphore>,
        token: Option<Arc<AsyncMutex<()>>>,
    ) -> Result<Turn, ProofBusy> {
        let place = Arc::clone(queue).try_acquire_owned().map_err(|_| ProofBusy)?;
        let waiting = async {
            let token = match token {
                Some(token) => Some(token.lock_owned().await),
                None => None,
            };
            let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|_| ProofBusy)?;
            Ok(Turn { _place: place, _worker: worker, _token: token })
        };
        timeout(PATIENCE, waiting).await.unwrap_or(Err(ProofBusy))
    }

    /// The lock of one token. Locks that nobody holds or waits for are dropped on the way; there are
    /// never more than the queue has places.
    fn lock_of(&self, id: ApiTokenId) -> Result<Arc<AsyncMutex<()>>, ProofBusy> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, lock| Arc::strong_count(lock) > 1);
        let lock = tokens.entry(id).or_default();
        // One count is the map's own.
        if Arc::strong_count(lock) > PER_TOKEN { Err(ProofBusy) } else { Ok(Arc::clone(lock)) }
    }
}
