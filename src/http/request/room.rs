//! The memory for requests: for heads and bodies while they arrive, and for what is made of a
//! request from then until its answer.
//!
//! Small ones need no room while they arrive, so whoever holds all of it keeps only large requests
//! of others waiting. Each caller has at most half of every part.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::domain::id::ApiTokenId;
use crate::http::refusal::Refusal;

/// Bytes that one permit stands for.
const UNIT: usize = 1024;
/// Bytes of a body that need no room while it arrives.
const SMALL_BODY: usize = 4 * 1024;
/// Bytes of a head that need no room: what each connection has a buffer for.
const SMALL_HEAD: usize = 8 * 1024;
/// Bytes for what arrives, of all connections together.
const ARRIVING: usize = 16 * 1024 * 1024;
/// Bytes for the requests that are being answered.
const ANSWERING: usize = 32 * 1024 * 1024;
/// What is made of a request may take so many times the memory of its text: a list of short values
/// takes most, once parsed and once as the value of a variable.
const GROWTH: usize = 16;
/// Bytes that the smallest request counts for.
const LEAST: usize = 32 * 1024;
/// Callers that are remembered before those that are gone are removed.
const CALLERS: usize = 1024;

/// The memory for all requests.
#[derive(Debug)]
pub struct RequestRoom {
    all: Parts,
    callers: Mutex<HashMap<Option<ApiTokenId>, Weak<Parts>>>,
}

#[derive(Debug, Clone)]
struct Parts {
    arriving: Arc<Semaphore>,
    answering: Arc<Semaphore>,
}

/// The memory that one caller may use.
pub(in crate::http) struct Share {
    all: Parts,
    own: Arc<Parts>,
}

/// Room for a body that arrives.
pub(in crate::http) struct Arriving {
    share: Arc<Parts>,
    all: Parts,
    units: usize,
    permits: Vec<OwnedSemaphorePermit>,
}

/// Room for a request that is being answered.
pub(in crate::http) struct Answering {
    _permits: [Option<OwnedSemaphorePermit>; 2],
    /// Keeps the caller's part known.
    _share: Arc<Parts>,
}

impl Default for RequestRoom {
    fn default() -> Self {
        Self { all: Parts::new(1), callers: Mutex::default() }
    }
}

impl Parts {
    fn new(divisor: usize) -> Self {
        let part = |bytes: usize| Arc::new(Semaphore::new(bytes / divisor / UNIT));
        Self { arriving: part(ARRIVING), answering: part(ANSWERING) }
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

impl RequestRoom {
    /// The part of a caller; of all callers without a token together.
    pub(in crate::http) fn share(&self, caller: Option<ApiTokenId>) -> Share {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= CALLERS {
            callers.retain(|_, own| own.strong_count() > 0);
        }
        let own = callers.get(&caller).and_then(Weak::upgrade).unwrap_or_else(|| {
            let own = Arc::new(Parts::new(2));
            callers.insert(caller, Arc::downgrade(&own));
            own
        });
        Share { all: self.all.clone(), own }
    }

    /// Room for a head of so many bytes, in place of what it had before. `None`: there is not
    /// enough.
    pub(in crate::http) fn head(
        &self,
        bytes: usize,
        held: Option<OwnedSemaphorePermit>,
    ) -> Option<Option<OwnedSemaphorePermit>> {
        let needed = units(bytes.saturating_sub(SMALL_HEAD));
        let has = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = needed.saturating_sub(u32::try_from(has).unwrap_or(u32::MAX));
        if more == 0 {
            return Some(held);
        }
        let more = Arc::clone(&self.all.arriving).try_acquire_many_owned(more).ok()?;
        match held {
            None => Some(Some(more)),
            Some(mut held) => {
                held.merge(more);
                Some(Some(held))
            }
        }
    }
}

impl Share {
    /// Room for a body that has not begun to arrive.
    pub(in crate::http) fn arriving(&self) -> Arriving {
        let (share, all) = (Arc::clone(&self.own), self.all.clone());
        Arriving { share, all, units: 0, permits: Vec::new() }
    }

    /// Waits for the room that a request of so many bytes may need until it is answered. Whoever
    /// has it never waits for more, so nobody waits in a circle.
    pub(in crate::http) async fn answering(
        &self,
        bytes: usize,
        limit: Duration,
    ) -> Result<Answering, Refusal> {
        let needed = units(bytes.saturating_mul(GROWTH).max(LEAST));
        let waiting = async {
            // They are never closed.
            let own = Arc::clone(&self.own.answering).acquire_many_owned(needed).await.ok();
            let all = Arc::clone(&self.all.answering).acquire_many_owned(needed).await.ok();
            [own, all]
        };
        let permits = timeout(limit, waiting).await.map_err(|_| Refusal::Unavailable)?;
        Ok(Answering { _permits: permits, _share: Arc::clone(&self.own) })
    }
}

impl Arriving {
    /// Makes room for a body that has so many bytes by now.
    pub(in crate::http) fn hold(&mut self, bytes: usize) -> Result<(), Refusal> {
        let needed = bytes.saturating_sub(SMALL_BODY).div_ceil(UNIT);
        let more = needed.saturating_sub(self.units);
        if more == 0 {
            return Ok(());
        }
        let more_units = u32::try_from(more).unwrap_or(u32::MAX);
        for part in [&self.share.arriving, &self.all.arriving] {
            let permit = Arc::clone(part).try_acquire_many_owned(more_units);
            self.permits.push(permit.map_err(|_| Refusal::Unavailable)?);
        }
        self.units = needed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: usize = 64 * 1024;
    const AT_ONCE: Duration = Duration::ZERO;

    fn caller(number: u128) -> Option<ApiTokenId> {
        Some(ApiTokenId::from_uuid(uuid::Uuid::from_u128(number)))
    }

    fn fill(share: &Share) -> Vec<Arriving> {
        let mut held = Vec::new();
        loop {
            let mut body = share.arriving();
            if body.hold(LARGEST).is_err() {
                return held;
            }
            held.push(body);
        }
    }

    #[test]
    fn bodies_of_one_caller_leave_room_for_those_of_another() {
        let room = RequestRoom::default();
        let greedy = room.share(caller(1));
        let held = fill(&greedy);
        assert_eq!(held.len(), ARRIVING / 2 / (LARGEST - SMALL_BODY));
        assert!(greedy.arriving().hold(SMALL_BODY).is_ok(), "a small body needs no room");
        assert_eq!(room.share(caller(1)).arriving().hold(LARGEST), Err(Refusal::Unavailable));
        let others = fill(&room.share(None));
        assert!(others.len() >= held.len());
        assert_eq!(room.head(100_000, None).map(drop), None, "heads share the room");
        drop(held);
        assert!(room.head(100_000, None).is_some());
        assert!(room.share(caller(2)).arriving().hold(LARGEST).is_ok());
    }

    #[test]
    fn room_grows_with_what_arrives_and_is_given_back() {
        let room = RequestRoom::default();
        let free = room.all.arriving.available_permits();
        let mut body = room.share(None).arriving();
        for bytes in [10, SMALL_BODY, SMALL_BODY + 1, SMALL_BODY + UNIT, LARGEST] {
            body.hold(bytes).unwrap();
        }
        assert_eq!(room.all.arriving.available_permits(), free - (LARGEST - SMALL_BODY) / UNIT);
        let head = room.head(SMALL_HEAD + 2 * UNIT, None).unwrap();
        let head = room.head(SMALL_HEAD + 3 * UNIT, head).unwrap().unwrap();
        assert_eq!(head.num_permits(), 3);
        drop((body, head));
        assert_eq!(room.all.arriving.available_permits(), free);
        assert!(room.head(SMALL_HEAD, None).unwrap().is_none());
    }

    #[tokio::test]
    async fn requests_that_are_answered_are_bounded() {
        let room = RequestRoom::default();
        let greedy = room.share(caller(1));
        let mut held = Vec::new();
        while let Ok(more) = greedy.answering(LARGEST, AT_ONCE).await {
            held.push(more);
        }
        assert_eq!(held.len(), ANSWERING / 2 / GROWTH / LARGEST);
        assert!(room.share(caller(2)).answering(LARGEST, AT_ONCE).await.is_ok());
        held.pop();
        assert!(greedy.answering(10, AT_ONCE).await.is_ok());
    }
}
