//! Proving that a presented secret is the one that a stored hash was made of.
//!
//! The default cost is the lowest on purpose. A work factor slows the guessing of passwords; 256
//! random bits cannot be guessed at any speed. OWASP ASVS 5.0 (6.5.2) and NIST SP 800-63B accept a
//! plain hash from 112 random bits on. A high cost would only be a lever for denial of service.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bcrypt::Version;
use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::runtime::Handle;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::domain::id::TokenId;
use crate::domain::random::{RandomError, RandomSource};
use crate::domain::secret::{PlaintextSecret, SecretHash};

/// Cost of new hashes unless the operator sets another: about 1 ms.
pub const DEFAULT_COST: u32 = 4;
/// Lowest cost that bcrypt knows.
pub const MIN_COST: u32 = 4;
/// Highest accepted cost: about 1 s. A stored hash with a higher one is not even tried.
pub const MAX_COST: u32 = 14;

/// Secrets whose proof is remembered; about 200 bytes each.
const REMEMBERED: usize = 65_536;
/// Proofs that may run or wait at once. One more is refused at once, so that a flood of wrong
/// secrets cannot pile up.
const QUEUE: usize = 128;

/// Too many proofs wait already. Try again in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many secrets wait to be proven")]
pub struct ProofBusy;

/// Proves secrets on threads that may block, and remembers which secret matched which hash. Positives
/// only: what is remembered counts while the row just read still holds that very hash.
pub struct SecretProofs {
    remembered: Cache<Digest, SecretHash>,
    key: [u8; 64],
    /// One proof at a time per token, so that a burst with one new secret costs one.
    under_way: Mutex<HashMap<TokenId, Arc<AsyncMutex<()>>>>,
    queue: Arc<Semaphore>,
    workers: Arc<Semaphore>,
    cost: u32,
    /// What the secret of an unknown token is tried against, so that it costs what a wrong one does.
    decoy: SecretHash,
    runtime: Handle,
}

type Digest = [u8; 32];

/// Held until the hash function has ended, even when nobody waits for it any more.
struct Turn {
    _queue: OwnedSemaphorePermit,
    _worker: OwnedSemaphorePermit,
    _token: Option<OwnedMutexGuard<()>>,
}

impl SecretProofs {
    /// # Errors
    /// When the random source does not deliver.
    pub(super) fn new(
        cost: u32,
        random: &dyn RandomSource,
        runtime: Handle,
    ) -> Result<Self, RandomError> {
        let mut key = [0; 64];
        random.fill(&mut key)?;
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        // Half of the cores: requests whose proof is remembered keep the other half.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            remembered: Cache::new(REMEMBERED),
            key,
            under_way: Mutex::default(),
            queue: Arc::new(Semaphore::new(QUEUE)),
            workers: Arc::new(Semaphore::new((cores / 2).max(1))),
            cost,
            decoy: hash("decoy", cost, salt).unwrap_or_else(|| SecretHash::new(String::new())),
            runtime,
        })
    }

    /// Hashes a new secret.
    ///
    /// # Errors
    /// When too many proofs wait.
    pub(super) async fn hash(
        &self,
        secret: &PlaintextSecret,
        salt: [u8; 16],
    ) -> Result<SecretHash, ProofBusy> {
        let turn = self.turn(None).await?;
        let (secret, cost) = (secret.clone(), self.cost);
        let hashing = self.runtime.spawn_blocking(move || {
            let hash = hash(secret.proof(), cost, salt);
            drop(turn);
            hash
        });
        hashing.await.ok().flatten().ok_or(ProofBusy)
    }

    /// Does the secret match the hash that was just read? `None`: there is no such token; it is never
    /// proven, at the cost of a wrong secret.
    ///
    /// # Errors
    /// When too many proofs wait.
    pub(super) async fn prove(
        &self,
        secret: &PlaintextSecret,
        stored: Option<&SecretHash>,
    ) -> Result<bool, ProofBusy> {
        let digest = self.digest(secret);
        if self.is_remembered(&digest, stored) {
            return Ok(true);
        }
        let turn = self.turn(Some(secret.token_id())).await?;
        if self.is_remembered(&digest, stored) {
            return Ok(true);
        }
        let usable = stored.filter(|hash| is_usable(hash));
        let against = usable.unwrap_or(&self.decoy).clone();
        let presented = secret.clone();
        let proving = self.runtime.spawn_blocking(move || {
            let matches = bcrypt::non_truncating_verify(presented.proof(), against.expose());
            drop(turn);
            matches.unwrap_or(false)
        });
        let proven = proving.await.unwrap_or(false) && usable.is_some();
        if let (true, Some(hash)) = (proven, usable) {
            self.remembered.insert(digest, hash.clone());
        }
        Ok(proven)
    }

    fn is_remembered(&self, digest: &Digest, stored: Option<&SecretHash>) -> bool {
        let Some(stored) = stored else { return false };
        self.remembered.get(digest).is_some_and(|hash| {
            hash.expose()
                .as_bytes()
                .ct_eq(stored.expose().as_bytes())
                .into()
        })
    }

    /// A keyed digest, so that neither a dump of the map nor its timing tells a secret.
    fn digest(&self, secret: &PlaintextSecret) -> Digest {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(secret.reveal().as_bytes());
        mac.finalize().into_bytes().into()
    }

    async fn turn(&self, token: Option<TokenId>) -> Result<Turn, ProofBusy> {
        let queue = Arc::clone(&self.queue)
            .try_acquire_owned()
            .map_err(|_| ProofBusy)?;
        let token = match token {
            Some(id) => Some(self.lock_of(id).lock_owned().await),
            None => None,
        };
        let worker = Arc::clone(&self.workers)
            .acquire_owned()
            .await
            .map_err(|_| ProofBusy)?;
        Ok(Turn {
            _queue: queue,
            _worker: worker,
            _token: token,
        })
    }

    /// The lock of one token. Locks that nobody holds or waits for are dropped on the way; there are
    /// never more than the queue has places.
    fn lock_of(&self, id: TokenId) -> Arc<AsyncMutex<()>> {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(under_way.entry(id).or_default())
    }
}

/// Is this a hash that may be tried?
fn is_usable(hash: &SecretHash) -> bool {
    let usable = hash
        .cost()
        .is_some_and(|cost| (MIN_COST..=MAX_COST).contains(&cost));
    if !usable {
        tracing::error!("a stored secret hash has a wrong form or cost; its token is refused");
    }
    usable
}

/// The call that does not truncate: bcrypt reads 72 bytes, and says nothing of more.
fn hash(secret: &str, cost: u32, salt: [u8; 16]) -> Option<SecretHash> {
    let parts = bcrypt::non_truncating_hash_with_salt(secret, cost, salt).ok()?;
    Some(SecretHash::new(parts.format_for_version(Version::TwoB)))
}
