//! Proving that a presented secret is the one that a stored hash was made of.
//!
//! The default cost is the lowest on purpose. A work factor slows the guessing of passwords; 256
//! random bits cannot be guessed at any speed. OWASP ASVS 5.0 (6.5.2) and NIST SP 800-63B accept a
//! plain hash from 112 random bits on. A high cost would only be a lever for denial of service.

mod bcrypt_hash;
mod turns;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use crate::domain::random::{RandomError, RandomSource};
use crate::domain::secret::{PlaintextSecret, SecretHash};

use turns::{Turn, Turns};

pub use bcrypt_hash::{DEFAULT_COST, MAX_COST, MIN_COST};

/// Secrets whose proof is remembered; about 200 bytes each.
const REMEMBERED: usize = 65_536;

/// Too many proofs wait already. Try again in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many secrets wait to be proven")]
pub struct ProofBusy;

/// Proves secrets on threads that may block, and remembers which secret matched which hash. Positives
/// only: what is remembered counts while the row just read still holds that very hash.
pub(super) struct SecretProofs {
    remembered: Arc<Cache<Digest, SecretHash>>,
    key: [u8; 64],
    /// Proofs under way, so that a burst with one new secret costs one.
    under_way: Mutex<HashMap<Digest, Arc<Shared>>>,
    turns: Turns,
    cost: u32,
    /// The highest cost of any stored hash: what every refusal costs.
    highest: AtomicU32,
    runtime: Handle,
}

type Digest = [u8; 32];

/// The outcome of a proof: the hash that the secret matched, if it matched.
type Shared = OnceCell<Option<SecretHash>>;

impl SecretProofs {
    /// Proves, and makes new hashes of this cost; `runtime` runs them.
    ///
    /// # Errors
    /// When the random source does not deliver.
    pub(super) fn new(
        cost: u32,
        random: &dyn RandomSource,
        runtime: Handle,
    ) -> Result<Self, RandomError> {
        let mut key = [0; 64];
        random.fill(&mut key)?;
        Ok(Self {
            remembered: Arc::new(Cache::new(REMEMBERED)),
            key,
            under_way: Mutex::default(),
            turns: Turns::new(),
            cost,
            highest: AtomicU32::new(cost),
            runtime,
        })
    }

    /// Tells of a stored hash, whose cost may be higher than that of new ones.
    pub(super) fn learn(&self, hash: &SecretHash) {
        if let Some(cost) = bcrypt_hash::usable_cost(hash) {
            self.highest.fetch_max(cost, Ordering::Relaxed);
        }
    }

    /// Hashes a new secret.
    ///
    /// # Errors
    /// When too many hashes wait.
    pub(super) async fn hash(
        &self,
        secret: &PlaintextSecret,
        salt: [u8; 16],
    ) -> Result<SecretHash, ProofBusy> {
        let turn = self.turns.to_hash().await?;
        let (secret, cost) = (secret.clone(), self.cost);
        let hashing = self.runtime.spawn_blocking(move || {
            let hash = bcrypt_hash::hash(secret.proof(), cost, salt);
            drop(turn);
            hash
        });
        let hash = hashing.await.ok().flatten();
        if hash.is_none() {
            tracing::error!("a secret could not be hashed, which is a defect");
        }
        hash.ok_or(ProofBusy)
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
        if let Some(stored) = stored {
            self.learn(stored);
        }
        let shared = self.join(digest);
        let matched = shared.get_or_try_init(|| self.run(digest, secret, stored)).await?;
        // Whoever began the proof may have read an earlier row.
        Ok(stored.zip(matched.as_ref()).is_some_and(|(stored, matched)| same(stored, matched)))
    }

    /// The proof of this secret that is under way, or a new one. Those that nobody waits for any more
    /// are dropped on the way.
    fn join(&self, digest: Digest) -> Arc<Shared> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|_, shared| Arc::strong_count(shared) > 1);
        Arc::clone(under_way.entry(digest).or_default())
    }

    async fn run(
        &self,
        digest: Digest,
        secret: &PlaintextSecret,
        stored: Option<&SecretHash>,
    ) -> Result<Option<SecretHash>, ProofBusy> {
        let turn: Turn = self.turns.to_prove(secret.token_id()).await?;
        let (secret, stored) = (secret.clone(), stored.cloned());
        let highest = self.highest.load(Ordering::Relaxed);
        let remembered = Arc::clone(&self.remembered);
        let proving = self.runtime.spawn_blocking(move || {
            let proven = bcrypt_hash::verify(secret.proof(), stored.as_ref(), highest);
            let matched = stored.filter(|_| proven);
            if let Some(hash) = &matched {
                remembered.insert(digest, hash.clone());
            }
            // After it is remembered, so that whoever is next finds it, even if nobody waits here.
            drop(turn);
            matched
        });
        proving.await.map_err(|_| ProofBusy)
    }

    fn is_remembered(&self, digest: &Digest, stored: Option<&SecretHash>) -> bool {
        let Some(stored) = stored else { return false };
        self.remembered.get(digest).is_some_and(|matched| same(stored, &matched))
    }

    /// A keyed digest, so that neither a dump of the map nor its timing tells a secret.
    fn digest(&self, secret: &PlaintextSecret) -> Digest {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(secret.reveal().as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// In constant time.
fn same(one: &SecretHash, other: &SecretHash) -> bool {
    one.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
}
