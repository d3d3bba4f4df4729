//! Proving that a presented secret is the one that a token was made with.
//!
//! Two stored forms must match: the tag, a plain SHA-256, and then the bcrypt hash. The tag
//! decides: 256 random bits cannot be guessed at any speed, and OWASP ASVS 5.0 (6.5.2) and NIST SP
//! 800-63B accept a plain hash from 112 random bits on. So a wrong secret is refused before bcrypt,
//! which runs only for genuine secrets. bcrypt adds a second function of another family: a flaw in
//! only one of the two lets nobody forge a secret. It adds nothing against guessing, so the default
//! cost is the lowest.

mod bcrypt_hash;
mod outdated;
mod turns;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use crate::domain::id::ApiTokenId;
use crate::domain::random::RandomSource;
use crate::domain::secret::{PlaintextSecret, SecretHash, SecretTag, StoredSecret};

use outdated::Outdated;
use turns::{Turn, Turns};

pub use bcrypt_hash::{DEFAULT_COST, MAX_COST, MIN_COST};

/// Secrets whose proof is remembered; about 200 bytes each.
const REMEMBERED: usize = 65_536;

/// Too many proofs are waiting. Try again in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many secrets wait to be proven")]
pub struct ProofBusy;

/// Proves secrets on threads that may block, and remembers which secret matched which hash. Only
/// matches are remembered, and a match counts only while the row just read still holds that hash.
pub(super) struct SecretProofs {
    remembered: Arc<Cache<ApiTokenId, Proven>>,
    /// Running proofs, so that a burst of requests with one new secret costs one proof.
    under_way: Mutex<HashMap<[u8; 32], Arc<Shared>>>,
    turns: Turns,
    outdated: Arc<Outdated>,
    cost: u32,
    runs: Arc<AtomicU64>,
    runtime: Handle,
}

/// A secret, by its tag, and the hash that it matched.
#[derive(Clone)]
struct Proven {
    tag: SecretTag,
    hash: SecretHash,
}

/// Whether a secret is genuine.
pub(super) enum Proof {
    /// It matched the stored hash before, and nothing was waited for.
    Remembered,
    /// It matches this hash, and the proof was waited for. The request that started it may have
    /// read an earlier row.
    Made(SecretHash),
    /// It does not match.
    Failed,
}

/// The outcome of a running proof: the hash that the secret matched, if it matched.
type Shared = OnceCell<Option<SecretHash>>;

impl SecretProofs {
    /// Proves, and makes new hashes of this cost; `runtime` runs them.
    pub(super) fn new(cost: u32, random: Arc<dyn RandomSource>, runtime: Handle) -> Self {
        Self {
            remembered: Arc::new(Cache::new(REMEMBERED)),
            under_way: Mutex::default(),
            turns: Turns::new(),
            outdated: Arc::new(Outdated::new(cost, random, runtime.clone())),
            cost,
            runs: Arc::default(),
            runtime,
        }
    }

    /// How often bcrypt has run to prove a secret.
    pub(super) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// Proven secrets whose stored form is to be replaced.
    pub(super) fn outdated(&self) -> &Outdated {
        &self.outdated
    }

    /// What is stored of a new secret.
    ///
    /// # Errors
    /// When too many hashes wait.
    pub(super) async fn store(
        &self,
        secret: &PlaintextSecret,
        salt: [u8; 16],
    ) -> Result<StoredSecret, ProofBusy> {
        let turn = self.turns.to_hash().await?;
        let tag = SecretTag::of(secret);
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
        Ok(StoredSecret { hash: hash.ok_or(ProofBusy)?, tag: Some(tag) })
    }

    /// Does the secret match the hash that was just read? The caller has compared the tag, where
    /// there is one.
    ///
    /// # Errors
    /// When too many proofs wait.
    pub(super) async fn prove(
        &self,
        secret: &PlaintextSecret,
        tag: &SecretTag,
        stored: &StoredSecret,
    ) -> Result<Proof, ProofBusy> {
        if self.is_remembered(secret.token_id(), tag, &stored.hash) {
            if stored.tag.is_none() {
                self.outdated.note_tag(secret.token_id(), *tag, &stored.hash);
            }
            return Ok(Proof::Remembered);
        }
        let shared = self.join(*tag.expose());
        let matched = shared.get_or_try_init(|| self.run(secret, *tag, stored)).await?;
        Ok(matched.clone().map_or(Proof::Failed, Proof::Made))
    }

    /// The running proof of this secret, or a new one. Proofs that no request waits for are dropped
    /// on the way.
    fn join(&self, tag: [u8; 32]) -> Arc<Shared> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|_, shared| Arc::strong_count(shared) > 1);
        Arc::clone(under_way.entry(tag).or_default())
    }

    async fn run(
        &self,
        secret: &PlaintextSecret,
        tag: SecretTag,
        stored: &StoredSecret,
    ) -> Result<Option<SecretHash>, ProofBusy> {
        let id = secret.token_id();
        let turn: Turn = match stored.tag {
            Some(_) => self.turns.to_prove().await?,
            None => self.turns.to_prove_untagged(id).await?,
        };
        let (secret, stored) = (secret.clone(), stored.clone());
        let (remembered, outdated) = (Arc::clone(&self.remembered), Arc::clone(&self.outdated));
        let runs = Arc::clone(&self.runs);
        let proving = self.runtime.spawn_blocking(move || {
            runs.fetch_add(1, Ordering::Relaxed);
            let hash = Some(stored.hash.clone())
                .filter(|hash| bcrypt_hash::verify(secret.proof(), hash))?;
            let earlier = remembered.get(&id);
            remembered.insert(id, Proven { tag, hash: hash.clone() });
            // Free the turn only after the proof is remembered, so that the next request finds it
            // even if nobody waits here.
            drop(turn);
            if stored.tag.is_none() {
                outdated.note_tag(id, tag, &hash);
            }
            // Only once: instances with different costs must not keep replacing the hashes of each
            // other.
            if earlier.is_none() {
                outdated.note_cost(secret, tag, &hash);
            }
            Some(hash)
        });
        proving.await.map_err(|_| ProofBusy)
    }

    fn is_remembered(&self, id: ApiTokenId, tag: &SecretTag, hash: &SecretHash) -> bool {
        let Some(proven) = self.remembered.get(&id) else { return false };
        // Always compares both, so that the time does not reveal which of the two differs.
        proven.tag.is_same(Some(tag)) & proven.hash.is_same(hash)
    }
}
