//! Turns to use a processor for hashing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::ProofBusy;
use crate::domain::id::ApiTokenId;

/// Hashes of new secrets that may be made or wait at once. Who makes tokens is known, and has a
/// quota.
const HASHES: usize = 1024;
/// Waiting proofs of secrets of untagged tokens, which may be wrong ones. Further proofs are
/// refused at once, so that a flood of wrong secrets cannot pile up.
const UNTAGGED: usize = 128;
/// Different secrets of one untagged token that may run or wait at once. Anybody can invent secrets
/// for a known id, and must not fill the queue with them.
const PER_TOKEN: usize = 4;
/// Longest wait of a proof. A new secret waits for as long as its request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Two bounded queues before a few workers.
pub(super) struct Turns {
    hashes: Queue,
    /// Has its own worker, so that secrets that may be wrong do not delay new ones.
    untagged: Queue,
    /// One proof at a time per untagged token.
    tokens: Mutex<HashMap<ApiTokenId, Arc<AsyncMutex<()>>>>,
}

struct Queue {
    size: usize,
    places: Arc<Semaphore>,
    workers: Arc<Semaphore>,
}

/// Held until the hash function has ended, even when no request waits for it.
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
    _worker: OwnedSemaphorePermit,
    _token: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// As many hashes of new secrets are made at once as there are cores.
    pub(super) fn new(cores: usize) -> Self {
        let queue = |places, workers| Queue {
            size: places,
            places: Arc::new(Semaphore::new(places)),
            workers: Arc::new(Semaphore::new(workers)),
        };
        Self {
            hashes: queue(HASHES, cores),
            untagged: queue(UNTAGGED, 1),
            tokens: Mutex::default(),
        }
    }

    /// How many hashes of new secrets are made or wait.
    pub(super) fn hashes(&self) -> usize {
        self.hashes.taken()
    }

    /// How many proofs are made or wait.
    pub(super) fn proofs(&self) -> usize {
        self.untagged.taken()
    }

    /// Waits to hash a new secret.
    pub(super) async fn to_hash(&self) -> Result<Turn, ProofBusy> {
        self.hashes.wait(None).await
    }

    /// Waits to prove a secret of a token that has no tag yet.
    pub(super) async fn to_prove_untagged(&self, token: ApiTokenId) -> Result<Turn, ProofBusy> {
        let token = self.lock_of(token)?;
        let turn = self.untagged.wait(Some(token));
        timeout(PATIENCE, turn).await.unwrap_or(Err(ProofBusy))
    }

    /// The lock of one token. Locks that nobody holds or waits for are dropped on the way; there
    /// are never more than the queue has places.
    fn lock_of(&self, id: ApiTokenId) -> Result<Arc<AsyncMutex<()>>, ProofBusy> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, lock| Arc::strong_count(lock) > 1);
        let lock = tokens.entry(id).or_default();
        // One count is the map's own.
        if Arc::strong_count(lock) > PER_TOKEN { Err(ProofBusy) } else { Ok(Arc::clone(lock)) }
    }
}

impl Queue {
    fn taken(&self) -> usize {
        self.size.saturating_sub(self.places.available_permits())
    }

    async fn wait(&self, token: Option<Arc<AsyncMutex<()>>>) -> Result<Turn, ProofBusy> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| ProofBusy)?;
        let token = match token {
            Some(token) => Some(token.lock_owned().await),
            None => None,
        };
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|_| ProofBusy)?;
        Ok(Turn { _place: place, _worker: worker, _token: token })
    }
}
