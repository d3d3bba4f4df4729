//! How much tokens may make and change: a token in the wrong hands must not fill the disk, or keep
//! everybody else from writing. Revocations are not counted: each ends something that was counted.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;

use super::{Failure, Service};
use crate::domain::clock::Instant;
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::principal::Principal;

/// In which the changes of a token are counted.
const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// How long live tokens need not be counted again: over a million of them it takes a search.
const COUNTED: TimeDelta = TimeDelta::minutes(1);
/// How long the disk need not be asked again: it takes another thread to do so. What is written in
/// that time is little of what is reserved.
const ROOM: std::time::Duration = std::time::Duration::from_millis(100);
/// Tokens and users that are counted, before those of the past minute alone are kept.
const MANY: usize = 10_000;

/// What tokens may make and change. The operator at the command line is not bound by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Live tokens in all. Other instances may have made more within the last minute.
    pub live_tokens: i64,
    /// Live tokens that one token has created or renewed. The same holds for it.
    pub live_tokens_of_maker: i64,
    /// Creations, renewals and changes by one token in a minute, on each instance.
    pub changes_per_minute: u32,
    /// Bytes of the disk that only revocations may use; of SQLite's, as PostgreSQL has its own.
    pub disk_reserve: u64,
}

impl Quotas {
    /// Everything is allowed.
    pub const NONE: Self = Self {
        live_tokens: i64::MAX,
        live_tokens_of_maker: i64::MAX,
        changes_per_minute: u32::MAX,
        disk_reserve: 0,
    };
}

/// Which quota is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenQuota {
    /// Of all live tokens.
    All,
    /// Of the live tokens that the caller has made.
    OfMaker,
}

/// What is counted in memory.
#[derive(Debug, Default)]
pub(super) struct Counts {
    changes: Mutex<HashMap<ApiTokenId, Window>>,
    live: Mutex<HashMap<Of, Counted>>,
    /// When the disk was last asked, if it had more than what is reserved.
    room: Mutex<Option<std::time::Instant>>,
}

/// Whose tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Everybody,
    Maker(UserId),
}

/// The changes of one token since an instant.
#[derive(Debug, Clone, Copy)]
struct Window {
    start: Instant,
    changes: u32,
}

/// How many live tokens there were at an instant, and those made here since.
#[derive(Debug, Clone, Copy)]
struct Counted {
    at: Instant,
    tokens: i64,
}

impl Counts {
    /// Counts a change; or the seconds after which the next one is allowed.
    fn change(&self, by: ApiTokenId, most: u32, now: Instant) -> Result<(), u32> {
        let mut changes = locked(&self.changes);
        let is_over =
            |window: &Window| !(TimeDelta::zero()..WINDOW).contains(&(now - window.start));
        if changes.len() >= MANY {
            changes.retain(|_, window| !is_over(window));
        }
        let window = changes.entry(by).or_insert(Window { start: now, changes: 0 });
        if is_over(window) {
            *window = Window { start: now, changes: 0 };
        }
        if window.changes >= most {
            let left = (window.start + WINDOW - now).num_milliseconds();
            return Err(u32::try_from((left + 999) / 1_000).unwrap_or(1).max(1));
        }
        window.changes += 1;
        Ok(())
    }

    /// Was there room on the disk a moment ago?
    fn has_found_room(&self, now: std::time::Instant) -> bool {
        locked(&self.room).is_some_and(|asked| now.duration_since(asked) < ROOM)
    }

    /// There was room on the disk.
    fn found_room(&self, at: std::time::Instant) {
        *locked(&self.room) = Some(at);
    }

    /// The user has made a token.
    pub(super) fn made(&self, by: UserId) {
        let mut live = locked(&self.live);
        for of in [Of::Everybody, Of::Maker(by)] {
            if let Some(counted) = live.get_mut(&of) {
                counted.tokens += 1;
            }
        }
    }

    /// The number of live tokens, if it was counted not long ago.
    fn live(&self, of: Of, now: Instant) -> Option<i64> {
        let counted = locked(&self.live).get(&of).copied();
        counted.filter(|counted| counted.is_fresh(now)).map(|counted| counted.tokens)
    }

    /// They were counted.
    fn counted(&self, of: Of, tokens: i64, now: Instant) {
        let mut live = locked(&self.live);
        if live.len() >= MANY {
            live.retain(|_, counted| counted.is_fresh(now));
        }
        if live.len() < MANY || live.contains_key(&of) {
            live.insert(of, Counted { at: now, tokens });
        }
    }
}

impl Counted {
    fn is_fresh(&self, now: Instant) -> bool {
        (TimeDelta::zero()..COUNTED).contains(&(now - self.at))
    }
}

/// A panic leaves nothing half changed here.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    /// May the caller make or change something now? To be asked once for each request that does.
    pub(super) async fn count_change(&self, by: &Principal, now: Instant) -> Result<(), Failure> {
        let Some(own) = by.api_token() else { return Ok(()) };
        let counted = self.counts.change(own.id, self.quotas.changes_per_minute, now);
        counted.map_err(|retry_after| Failure::RateLimited { retry_after })?;
        self.ensure_disk().await
    }

    /// Is there more on the disk than what only revocations may use?
    async fn ensure_disk(&self) -> Result<(), Failure> {
        let start = std::time::Instant::now();
        if self.quotas.disk_reserve == 0 || self.counts.has_found_room(start) {
            return Ok(());
        }
        match self.repository.free_space().await? {
            Some(free) if free < self.quotas.disk_reserve => Err(Failure::DiskReserve { free }),
            _ => {
                self.counts.found_room(start);
                Ok(())
            }
        }
    }

    /// May the caller make another token?
    pub(super) async fn ensure_room(&self, by: &Principal, now: Instant) -> Result<(), Failure> {
        if by.api_token().is_none() {
            return Ok(());
        }
        let Quotas { live_tokens, live_tokens_of_maker, .. } = self.quotas;
        let maker = Of::Maker(by.user_id());
        if !self.is_below(live_tokens_of_maker, maker, now).await? {
            return Err(Failure::Quota(TokenQuota::OfMaker));
        }
        if !self.is_below(live_tokens, Of::Everybody, now).await? {
            return Err(Failure::Quota(TokenQuota::All));
        }
        Ok(())
    }

    /// Are there fewer live tokens than this? They are counted again before that is denied, as some
    /// may have been deleted.
    async fn is_below(&self, most: i64, of: Of, now: Instant) -> Result<bool, Failure> {
        if most == i64::MAX || self.counts.live(of, now).is_some_and(|tokens| tokens < most) {
            return Ok(true);
        }
        let tokens = match of {
            Of::Everybody => self.repository.live_tokens().await?,
            Of::Maker(user) => self.repository.live_tokens_by(user).await?,
        };
        self.counts.counted(of, tokens, now);
        Ok(tokens < most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random::SystemRandom;

    fn at(milliseconds: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
    }

    #[test]
    fn a_token_has_so_many_changes_a_minute() {
        let id = || ApiTokenId::generate(at(0), &SystemRandom).unwrap();
        let (one, other) = (id(), id());
        let counts = Counts::default();
        for milliseconds in [0, 10, 30_000] {
            assert_eq!(counts.change(one, 3, at(milliseconds)), Ok(()));
        }
        assert_eq!(counts.change(one, 3, at(30_001)), Err(30));
        assert_eq!(counts.change(one, 3, at(59_999)), Err(1));
        assert_eq!(counts.change(other, 3, at(59_999)), Ok(()));
        assert_eq!(counts.change(one, 3, at(60_000)), Ok(()));
        // A clock that was set back does not lock anybody out.
        assert_eq!(counts.change(one, 1, at(0)), Ok(()));
    }

    #[test]
    fn the_memory_is_bounded() {
        let counts = Counts::default();
        for n in 0..3 * MANY {
            let id = ApiTokenId::from_uuid(uuid::Uuid::from_u128(n as u128));
            let now = at(i64::try_from(n).unwrap() * 60_000 / i64::try_from(MANY / 2).unwrap());
            assert_eq!(counts.change(id, 1, now), Ok(()));
        }
        assert!(locked(&counts.changes).len() <= MANY);
    }

    #[test]
    fn a_count_is_soon_out_of_date() {
        let counts = Counts::default();
        let [maker, other] = [0, 1].map(|n| UserId::from_uuid(uuid::Uuid::from_u128(n)));
        assert_eq!(counts.live(Of::Everybody, at(0)), None);
        counts.counted(Of::Everybody, 7, at(0));
        counts.counted(Of::Maker(maker), 3, at(0));
        counts.made(maker);
        counts.made(other);
        assert_eq!(counts.live(Of::Everybody, at(59_999)), Some(9));
        assert_eq!(counts.live(Of::Maker(maker), at(59_999)), Some(4));
        assert_eq!(counts.live(Of::Maker(other), at(59_999)), None);
        assert_eq!(counts.live(Of::Everybody, at(60_000)), None);
        assert_eq!(counts.live(Of::Everybody, at(-1)), None);
    }
}
