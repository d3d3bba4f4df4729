//! When and from where tokens are used: noted in memory by every request, written by one task.
//!
//! A write for each request would make every read as slow as a write. Noted uses are lost if the
//! process ends without warning, so they are written often.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::api_token::LastUse;
use crate::domain::clock::Instant;
use crate::domain::id::ApiTokenId;
use crate::metrics::Duty;
use crate::service::Service;
use crate::service::background::pace::Pace;

/// Most tokens that are noted at once; the uses of further ones are forgotten.
const MOST: usize = 100_000;
/// Tokens written in one transaction, which keeps other writers waiting.
const BATCH: usize = 100;

/// The latest use of each token that was used since the last writing.
#[derive(Default)]
pub(in crate::service) struct LastUses {
    noted: Mutex<HashMap<ApiTokenId, LastUse>>,
    /// What was taken for the last writing. It counts until the next one, so that a use is not
    /// forgotten between the reading of a row and the writing.
    taken: Mutex<HashMap<ApiTokenId, Instant>>,
    pace: Pace,
}

impl LastUses {
    pub(in crate::service) fn note(&self, id: ApiTokenId, date: Instant, address: Option<IpAddr>) {
        let mut noted = self.noted();
        if noted.len() < MOST || noted.contains_key(&id) {
            noted.insert(id, LastUse { date, address });
        }
    }

    /// Was the token used since the last writing, or shortly before?
    pub(in crate::service) fn has(&self, id: ApiTokenId) -> bool {
        self.latest(id).is_some()
    }

    /// When the token was last used, as far as that may not be stored yet.
    pub(in crate::service) fn latest(&self, id: ApiTokenId) -> Option<Instant> {
        let noted = self.noted().get(&id).map(|last| last.date);
        noted.or_else(|| self.taken().get(&id).copied())
    }

    /// How often uses are to be written at least.
    pub(in crate::service) const fn pace(&self) -> &Pace {
        &self.pace
    }

    /// How many tokens were used since the last writing.
    pub(in crate::service) fn len(&self) -> usize {
        self.noted().len()
    }

    /// Takes everything out, in the order of the ids, in which rows are locked everywhere.
    fn take(&self) -> Vec<(ApiTokenId, LastUse)> {
        let mut noted = self.noted();
        *self.taken() = noted.iter().map(|(id, last)| (*id, last.date)).collect();
        let mut taken: Vec<_> = std::mem::take(&mut *noted).into_iter().collect();
        drop(noted);
        taken.sort_unstable_by_key(|(id, _)| *id);
        taken
    }

    /// Notes again what could not be written, unless the token was used since.
    fn give_back(&self, unwritten: &[(ApiTokenId, LastUse)]) {
        let mut noted = self.noted();
        for (id, last_use) in unwritten {
            if let Entry::Vacant(vacant) = noted.entry(*id) {
                vacant.insert(*last_use);
            }
        }
    }

    /// A panic cannot leave the map half changed.
    fn noted(&self) -> MutexGuard<'_, HashMap<ApiTokenId, LastUse>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be locked after what is noted, if both are.
    fn taken(&self) -> MutexGuard<'_, HashMap<ApiTokenId, Instant>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// Writes what was noted since the last time.
    pub(super) async fn write_last_uses(&self) {
        let taken = self.last_uses.take();
        let mut unwritten = taken.as_slice();
        while !unwritten.is_empty() {
            let (batch, rest) = unwritten.split_at(unwritten.len().min(BATCH));
            if let Err(error) = self.repository.write_last_uses(batch).await {
                self.metrics.duty_failures.count(Duty::LastUses);
                tracing::warn!(%error, tokens = unwritten.len(), "last uses are not written yet");
                return self.last_uses.give_back(unwritten);
            }
            unwritten = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random::SystemRandom;

    fn ids<const N: usize>() -> [ApiTokenId; N] {
        std::array::from_fn(|_| ApiTokenId::generate(Instant::UNIX_EPOCH, &SystemRandom).unwrap())
    }

    fn after(seconds: i64) -> Instant {
        Instant::UNIX_EPOCH + chrono::TimeDelta::seconds(seconds)
    }

    #[test]
    fn the_latest_use_of_a_token_counts() {
        let [id] = ids();
        let uses = LastUses::default();
        uses.note(id, after(1), None);
        uses.note(id, after(2), Some([127, 0, 0, 1].into()));
        let last_use = LastUse { date: after(2), address: Some([127, 0, 0, 1].into()) };
        assert_eq!(uses.take(), [(id, last_use)]);
        assert_eq!(uses.take(), []);
    }

    #[test]
    fn what_is_given_back_does_not_replace_a_later_use() {
        let [used, unused] = ids();
        let uses = LastUses::default();
        uses.note(used, after(1), None);
        uses.note(unused, after(1), None);
        let unwritten = uses.take();
        uses.note(used, after(2), None);
        uses.give_back(&unwritten);
        let dates: HashMap<_, _> =
            uses.take().into_iter().map(|(id, use_)| (id, use_.date)).collect();
        assert_eq!(dates, HashMap::from([(used, after(2)), (unused, after(1))]));
    }

    #[test]
    fn the_memory_is_bounded() {
        let uses = LastUses::default();
        let [first] = ids();
        uses.note(first, after(1), None);
        for n in 0..MOST + 10 {
            let id = ApiTokenId::from_uuid(uuid::Uuid::from_u128(n as u128));
            uses.note(id, after(1), None);
        }
        uses.note(first, after(2), None);
        let taken = uses.take();
        assert_eq!(taken.len(), MOST);
        assert!(taken.iter().any(|(id, last_use)| *id == first && last_use.date == after(2)));
        assert!(taken.is_sorted_by_key(|(id, _)| *id));
    }
}
