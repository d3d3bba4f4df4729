//! The memory for all answers together, from the first resolved field until the last byte is sent.
//!
//! It has one part for answers of each size, so that large ones never keep small ones waiting. An
//! answer that outgrows its part gets room in the next one at once, or is given up and begun again
//! when there is room: nobody waits for room while they hold some, so they never wait in a circle.
//! Each caller has at most half of every part.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::id::ApiTokenId;
use crate::graphql::engine::limits::{ANSWER_SIZES, AnswerSize};

/// Bytes that one permit stands for.
const UNIT: usize = 1024;
/// Callers that are remembered before those that are gone are removed.
const CALLERS: usize = 1024;

/// One semaphore for each size.
type Parts = [Arc<Semaphore>; ANSWER_SIZES.len()];

/// The memory for all answers.
pub(in crate::graphql::engine) struct Room {
    all: Parts,
    callers: Mutex<HashMap<Option<ApiTokenId>, Weak<Parts>>>,
}

/// The part of the memory that one caller may use.
#[derive(Clone)]
pub(in crate::graphql::engine) struct Share {
    all: Parts,
    own: Arc<Parts>,
}

/// Memory that is kept for one answer.
pub(in crate::graphql::engine) struct Reservation {
    bytes: usize,
    permits: [Option<OwnedSemaphorePermit>; 2],
    /// Keeps the caller's semaphores known.
    _own: Arc<Parts>,
}

impl Default for Room {
    fn default() -> Self {
        Self { all: parts(1), callers: Mutex::default() }
    }
}

fn parts(divisor: usize) -> Parts {
    ANSWER_SIZES.map(|size| Arc::new(Semaphore::new(size.together / divisor / UNIT)))
}

/// The part for an answer of so many bytes, and the largest answer there.
fn part(bytes: usize) -> (usize, usize) {
    let fits = |size: &AnswerSize| bytes <= size.each;
    let index = ANSWER_SIZES.iter().position(fits).unwrap_or(ANSWER_SIZES.len() - 1);
    (index, ANSWER_SIZES.get(index).map_or(0, |size| size.each))
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

impl Room {
    /// The part of a caller; of all callers without a token together.
    pub(in crate::graphql::engine) fn share(&self, caller: Option<ApiTokenId>) -> Share {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= CALLERS {
            callers.retain(|_, own| own.strong_count() > 0);
        }
        let own = callers.get(&caller).and_then(Weak::upgrade).unwrap_or_else(|| {
            let own = Arc::new(parts(2));
            callers.insert(caller, Arc::downgrade(&own));
            own
        });
        Share { all: self.all.clone(), own }
    }
}

impl Share {
    /// Waits for the room that an answer of so many bytes may grow to before it needs more.
    pub(in crate::graphql::engine) async fn reserve(&self, bytes: usize) -> Reservation {
        self.reserve_exactly(part(bytes).1).await
    }

    /// Waits for room for so many bytes.
    pub(in crate::graphql::engine) async fn reserve_exactly(&self, bytes: usize) -> Reservation {
        let (index, most) = part(bytes);
        let bytes = bytes.min(most);
        let [own, all] = self.semaphores(index);
        // They are never closed.
        let own = own.acquire_many_owned(units(bytes)).await.ok();
        let all = all.acquire_many_owned(units(bytes)).await.ok();
        Reservation { bytes, permits: [own, all], _own: Arc::clone(&self.own) }
    }

    /// Like [`Self::reserve`], if there is room now.
    pub(super) fn try_reserve(&self, bytes: usize) -> Option<Reservation> {
        let (index, bytes) = part(bytes);
        let permits = self
            .semaphores(index)
            .map(|semaphore| semaphore.try_acquire_many_owned(units(bytes)).ok());
        let all_there = permits.iter().all(Option::is_some);
        all_there.then(|| Reservation { bytes, permits, _own: Arc::clone(&self.own) })
    }

    fn semaphores(&self, index: usize) -> [Arc<Semaphore>; 2] {
        [&*self.own, &self.all].map(|parts| {
            let [first, ..] = parts;
            Arc::clone(parts.get(index).unwrap_or(first))
        })
    }
}

impl Reservation {
    /// How much is reserved.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives back what is more than so many bytes.
    pub(in crate::graphql::engine) fn shrink(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes) / UNIT;
        for permit in self.permits.iter_mut().flatten() {
            drop(permit.split(surplus));
        }
        self.bytes -= surplus * UNIT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: usize = ANSWER_SIZES[ANSWER_SIZES.len() - 1].each;

    fn caller(number: u128) -> Option<ApiTokenId> {
        Some(ApiTokenId::from_uuid(uuid::Uuid::from_u128(number)))
    }

    #[tokio::test]
    async fn one_caller_leaves_room_for_another() {
        let room = Room::default();
        let greedy = room.share(caller(1));
        let mut held = Vec::new();
        while let Some(more) = greedy.try_reserve(LARGEST) {
            held.push(more);
        }
        assert!(!held.is_empty());
        assert!(room.share(caller(1)).try_reserve(LARGEST).is_none());
        assert!(greedy.try_reserve(1).is_some(), "small answers have a part of their own");
        let other = room.share(caller(2)).try_reserve(LARGEST);
        assert!(other.is_some());
        assert!(room.share(caller(3)).try_reserve(LARGEST).is_none(), "all of it is taken");
        drop(held);
        assert!(room.share(caller(3)).try_reserve(LARGEST).is_some());
    }

    #[tokio::test]
    async fn what_an_answer_does_not_need_is_given_back() {
        let room = Room::default();
        let share = room.share(None);
        let mut sent = share.reserve(LARGEST).await;
        assert!(share.try_reserve(LARGEST).is_none());
        sent.shrink(0);
        assert!(share.try_reserve(LARGEST).is_some());
        assert!(share.reserve_exactly(UNIT).await.bytes() == UNIT);
    }
}
