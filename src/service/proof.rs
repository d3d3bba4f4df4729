//! Proving that a presented secret is the one that a token was made with.
//!
//! Two forms of a secret are stored: the tag, a plain SHA-256, and a bcrypt hash. The tag decides:
//! 256 random bits cannot be guessed at any speed, and OWASP ASVS 5.0 (6.5.2) and NIST SP 800-63B
//! accept a plain hash from 112 random bits on. So a wrong secret is refused, and a genuine one let
//! in, without bcrypt.
//!
//! bcrypt is a second function of another family. It runs once for each genuine secret, after its
//! first use, and no request waits for it. If it contradicts the tag, somebody else has written the
//! row, or SHA-256 is broken: the secret is refused from then on, and the log says so. Only tokens
//! from before there were tags are proven by bcrypt.

mod bcrypt_hash;
mod later;
mod outdated;
mod threads;
mod turns;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tracing::Instrument;

use crate::domain::id::ApiTokenId;
use crate::domain::random::RandomSource;
use crate::domain::secret::{PlaintextSecret, SecretHash, SecretTag, StoredSecret};
use crate::metrics::{Hashing, Metrics, ProofResult};
use crate::trace;

use later::Later;
use outdated::Outdated;
use threads::{HashThreads, HashesFor};
use turns::Turns;

pub use bcrypt_hash::{DEFAULT_COST, MAX_COST, MIN_COST};

/// Secrets whose proof is remembered; about 200 bytes each.
const REMEMBERED: usize = 65_536;

/// Too many proofs are waiting. Try again in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many secrets wait to be proven")]
pub struct ProofBusy;

/// Proves secrets, and remembers what bcrypt said of a secret and a hash. It counts only while the
/// row just read still holds that hash.
pub(super) struct SecretProofs {
    remembered: Arc<Cache<ApiTokenId, Proven>>,
    /// Tokens whose secret is still to be checked by bcrypt.
    to_check: Arc<Mutex<HashSet<ApiTokenId>>>,
    /// Running proofs of untagged tokens, so that a burst of requests with one secret costs one.
    under_way: Mutex<HashMap<[u8; 32], Arc<Shared>>>,
    turns: Turns,
    threads: HashThreads,
    later: Later,
    outdated: Arc<Outdated>,
    cost: u32,
    runs: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
}

/// A secret, by its tag, a stored hash, and whether the two match.
#[derive(Clone)]
struct Proven {
    tag: SecretTag,
    hash: SecretHash,
    matches: bool,
}

/// Whether a secret is genuine.
pub(super) enum Proof {
    /// It is, and nothing was waited for.
    AtOnce,
    /// It matches this hash, and the proof was waited for. The request that started it may have
    /// read an earlier row.
    Made(SecretHash),
    /// It is not.
    Failed,
}

/// The outcome of a running proof: the hash that the secret matched, if it matched.
type Shared = OnceCell<Option<SecretHash>>;

impl SecretProofs {
    /// Proves, and makes new hashes of this cost; `runtime` drives what no request waits for.
    pub(super) fn new(
        cost: u32,
        random: Arc<dyn RandomSource>,
        runtime: Handle,
        metrics: Arc<Metrics>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // New secrets, and one of an untagged token.
        let threads = HashThreads::new(cores + 1, HashesFor::Requests, runtime.clone());
        let later = Later::new(runtime);
        Self {
            remembered: Arc::new(Cache::new(REMEMBERED)),
            to_check: Arc::default(),
            under_way: Mutex::default(),
            turns: Turns::new(cores),
            threads,
            outdated: Arc::new(Outdated::new(cost, random, later.clone())),
            later,
            cost,
            runs: Arc::default(),
            metrics,
        }
    }

    /// How often bcrypt has run to prove a secret.
    pub(super) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// Hashes that are computed or wait for it.
    pub(super) fn hashing(&self) -> Vec<(Hashing, usize)> {
        let Self { turns, later, .. } = self;
        let lengths = [turns.proofs(), turns.hashes(), later.waiting()];
        [Hashing::Prove, Hashing::Store, Hashing::Later].into_iter().zip(lengths).collect()
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
        let _timing = self.metrics.hashing.start(Hashing::Store);
        let turn = self.turns.to_hash().await?;
        let tag = SecretTag::of(secret);
        let (secret, cost) = (secret.clone(), self.cost);
        let hashing = self.threads.run(move || {
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

    /// Is the secret the one that the row just read was stored for? The caller has compared the
    /// tag, where there is one.
    ///
    /// # Errors
    /// When too many proofs wait.
    pub(super) async fn prove(
        &self,
        secret: &PlaintextSecret,
        tag: &SecretTag,
        stored: &StoredSecret,
    ) -> Result<Proof, ProofBusy> {
        let span = trace::proving();
        let proof = self.proof(secret, tag, stored).instrument(span.clone()).await;
        let result = match &proof {
            Ok(Proof::AtOnce) => ProofResult::AtOnce,
            Ok(Proof::Made(_)) => ProofResult::Waited,
            Ok(Proof::Failed) => ProofResult::Failed,
            Err(ProofBusy) => ProofResult::Refused,
        };
        self.metrics.proofs.count(result);
        trace::proven(&span, result);
        proof
    }

    async fn proof(
        &self,
        secret: &PlaintextSecret,
        tag: &SecretTag,
        stored: &StoredSecret,
    ) -> Result<Proof, ProofBusy> {
        let id = secret.token_id();
        match self.remembered(id, tag, &stored.hash) {
            Some(true) => {
                if stored.tag.is_none() {
                    self.outdated.note_tag(id, *tag, &stored.hash);
                }
                Ok(Proof::AtOnce)
            }
            Some(false) => Ok(Proof::Failed),
            None if stored.tag.is_some() => Ok(self.check_later(secret, tag, &stored.hash)),
            None => {
                let shared = self.join(*tag.expose());
                let matched = shared.get_or_try_init(|| self.run(secret, *tag, stored)).await?;
                Ok(matched.clone().map_or(Proof::Failed, Proof::Made))
            }
        }
    }

    /// Lets a secret in that has the token's tag, and has bcrypt check it. If too many wait for
    /// that, its next use asks again.
    fn check_later(&self, secret: &PlaintextSecret, tag: &SecretTag, hash: &SecretHash) -> Proof {
        if !bcrypt_hash::is_tried(hash) {
            return Proof::Failed;
        }
        let id = secret.token_id();
        if !locked(&self.to_check).insert(id) {
            return Proof::AtOnce;
        }
        let (secret, tag, hash) = (secret.clone(), *tag, hash.clone());
        let (remembered, outdated) = (Arc::clone(&self.remembered), Arc::clone(&self.outdated));
        let (to_check, runs) = (Arc::clone(&self.to_check), Arc::clone(&self.runs));
        let metrics = Arc::clone(&self.metrics);
        let accepted = self.later.run(move || {
            let _timing = metrics.hashing.start(Hashing::Later);
            runs.fetch_add(1, Ordering::Relaxed);
            let matches = bcrypt_hash::verify(secret.proof(), &hash);
            let proven = Proven { tag, hash: hash.clone(), matches };
            let first = remember(&remembered, id, proven);
            locked(&to_check).remove(&id);
            if !matches {
                metrics.proofs.count(ProofResult::Contradicted);
                tracing::error!(token_id = %id, "the two stored hashes of a secret contradict each \
                    other, so the row was changed by somebody else; the token is refused");
            } else if first {
                outdated.note_cost(secret, tag, &hash);
            }
        });
        if !accepted {
            locked(&self.to_check).remove(&id);
        }
        Proof::AtOnce
    }

    /// The running proof of this secret, or a new one. Proofs that no request waits for are dropped
    /// on the way.
    fn join(&self, tag: [u8; 32]) -> Arc<Shared> {
        let mut under_way = locked(&self.under_way);
        under_way.retain(|_, shared| Arc::strong_count(shared) > 1);
        Arc::clone(under_way.entry(tag).or_default())
    }

    /// Proves a secret of a token without a tag.
    async fn run(
        &self,
        secret: &PlaintextSecret,
        tag: SecretTag,
        stored: &StoredSecret,
    ) -> Result<Option<SecretHash>, ProofBusy> {
        let _timing = self.metrics.hashing.start(Hashing::Prove);
        let id = secret.token_id();
        let turn = self.turns.to_prove_untagged(id).await?;
        let (secret, hash) = (secret.clone(), stored.hash.clone());
        let (remembered, outdated) = (Arc::clone(&self.remembered), Arc::clone(&self.outdated));
        let runs = Arc::clone(&self.runs);
        let proving = self.threads.run(move || {
            runs.fetch_add(1, Ordering::Relaxed);
            let matches =
                bcrypt_hash::is_tried(&hash) && bcrypt_hash::verify(secret.proof(), &hash);
            if !matches {
                return None;
            }
            let first = remember(&remembered, id, Proven { tag, hash: hash.clone(), matches });
            // Free the turn only after the proof is remembered, so that the next request finds it
            // even if nobody waits here.
            drop(turn);
            outdated.note_tag(id, tag, &hash);
            if first {
                outdated.note_cost(secret, tag, &hash);
            }
            Some(hash)
        });
        proving.await.map_err(|_| ProofBusy)
    }

    /// What bcrypt said of this secret and this hash.
    fn remembered(&self, id: ApiTokenId, tag: &SecretTag, hash: &SecretHash) -> Option<bool> {
        let proven = self.remembered.get(&id)?;
        // Always compares both, so that the time does not reveal which of the two differs.
        let same = proven.tag.is_same(Some(tag)) & proven.hash.is_same(hash);
        same.then_some(proven.matches)
    }
}

/// Whether it is the first that is known of the token. Only then is a hash of another cost
/// replaced: instances with different costs must not keep replacing the hashes of each other.
fn remember(all: &Cache<ApiTokenId, Proven>, id: ApiTokenId, proven: Proven) -> bool {
    let first = all.get(&id).is_none();
    all.insert(id, proven);
    first
}

/// A panic cannot leave the maps half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
