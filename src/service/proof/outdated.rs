//! Proven secrets whose stored form is outdated: it has no tag, or its hash has another cost than
//! new ones. They are noted in memory, hashed one after the other, and written by the task that
//! writes last uses, so that no request waits. What is lost with the process is noted again at the
//! next proof.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::bcrypt_hash;
use super::later::Later;
use crate::domain::id::ApiTokenId;
use crate::domain::random::RandomSource;
use crate::domain::secret::{PlaintextSecret, ReplacedSecret, SecretHash, SecretTag, StoredSecret};

/// Most secrets that are noted at once; further ones are forgotten.
const MOST: usize = 10_000;

pub(in crate::service) struct Outdated {
    noted: Arc<Noted>,
    cost: u32,
    random: Arc<dyn RandomSource>,
    later: Later,
}

#[derive(Default)]
struct Noted(Mutex<HashMap<ApiTokenId, ReplacedSecret>>);

impl Outdated {
    pub(super) fn new(cost: u32, random: Arc<dyn RandomSource>, later: Later) -> Self {
        Self { noted: Arc::default(), cost, random, later }
    }

    /// Notes the tag of a secret that matched this hash, of a token that has none.
    pub(super) fn note_tag(&self, id: ApiTokenId, tag: SecretTag, hash: &SecretHash) {
        let now = StoredSecret { hash: hash.clone(), tag: Some(tag) };
        self.noted.insert(id, ReplacedSecret { before: hash.clone(), now });
    }

    /// Hashes a secret that matched this hash, and notes it, if the cost is not that of new ones.
    pub(super) fn note_cost(&self, secret: PlaintextSecret, tag: SecretTag, hash: &SecretHash) {
        if hash.cost() == Some(self.cost) {
            return;
        }
        let mut salt = [0; 16];
        if self.random.fill(&mut salt).is_err() {
            return;
        }
        let (noted, cost, before) = (Arc::clone(&self.noted), self.cost, hash.clone());
        self.later.run(move || {
            if let Some(hash) = bcrypt_hash::hash(secret.proof(), cost, salt) {
                let now = StoredSecret { hash, tag: Some(tag) };
                noted.insert(secret.token_id(), ReplacedSecret { before, now });
            }
        });
    }

    /// Takes everything out, in the order of the ids, in which rows are locked everywhere.
    pub(in crate::service) fn take(&self) -> Vec<(ApiTokenId, ReplacedSecret)> {
        let mut taken: Vec<_> = std::mem::take(&mut *self.noted.lock()).into_iter().collect();
        taken.sort_unstable_by_key(|(id, _)| *id);
        taken
    }

    /// Notes again what could not be written, unless there is something newer.
    pub(in crate::service) fn give_back(&self, unwritten: &[(ApiTokenId, ReplacedSecret)]) {
        let mut noted = self.noted.lock();
        for (id, replaced) in unwritten {
            if let Entry::Vacant(vacant) = noted.entry(*id) {
                vacant.insert(replaced.clone());
            }
        }
    }
}

impl Noted {
    fn insert(&self, id: ApiTokenId, replaced: ReplacedSecret) {
        let mut noted = self.lock();
        if noted.len() < MOST || noted.contains_key(&id) {
            noted.insert(id, replaced);
        }
    }

    /// A panic cannot leave the map half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<ApiTokenId, ReplacedSecret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
