//! Refusals that belong into the audit: changes that a token was denied, and uses of tokens that
//! have ended. Noted in memory, and written by the task that writes the last uses.
//!
//! Whoever is refused can be refused again at once, as often as the network allows. So refusals of
//! one kind within one minute are one event with a count: what is written does not grow with the
//! number of requests, and no request waits for it. What is not written yet is lost if the process
//! ends without warning; the log has it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::api_token::ApiToken;
use crate::domain::audit::{AuditAction, AuditChange, AuditEvent, AuditTarget};
use crate::domain::clock::{Instant, written};
use crate::domain::id::{ApiTokenId, EventId};
use crate::domain::random::{RandomError, RandomSource};
use crate::domain::user::UserInfo;
use crate::domain::verdict::InvalidTokenReason;
use crate::metrics::Duty;
use crate::service::Service;

/// Most events that are noted at once; further refusals are only counted and logged.
const MOST: usize = 10_000;
/// Events written in one transaction, which keeps other writers waiting.
const BATCH: usize = 100;
const MINUTE: i64 = 60;

/// Something that was refused to a token.
#[derive(Debug, Clone)]
pub(in crate::service) struct Refusal {
    /// The token that was used or asked.
    pub(in crate::service) token: ApiTokenId,
    /// Its user.
    pub(in crate::service) actor: UserInfo,
    /// A denied change or a refused use.
    pub(in crate::service) action: AuditAction,
    /// The change that was denied.
    pub(in crate::service) denied: Option<AuditAction>,
    /// Why, for programs.
    pub(in crate::service) reason: &'static str,
    /// The token that was to be changed or used, known to exist.
    pub(in crate::service) target: ApiTokenId,
    /// From where.
    pub(in crate::service) client_address: Option<IpAddr>,
    /// In which request.
    pub(in crate::service) request_id: Option<String>,
}

/// What is one event. The target is no part of it: whoever tries every token in turn would fill the
/// audit. There are few reasons, and none of them is a text of the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    token: ApiTokenId,
    action: AuditAction,
    denied: Option<AuditAction>,
    reason: &'static str,
    minute: i64,
}

/// Refusals of one kind in one minute; what is not counted is that of the first one.
#[derive(Debug)]
struct Counted {
    first: Refusal,
    count: u64,
    from: Instant,
    until: Instant,
}

/// The refusals since the last writing.
#[derive(Debug, Default)]
pub(in crate::service) struct Refusals(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    events: HashMap<Key, Counted>,
    /// Refusals that found no room.
    left_out: u64,
}

impl Refusals {
    pub(in crate::service) fn note(&self, refusal: Refusal, now: Instant) {
        let Refusal { token, action, denied, reason, .. } = refusal;
        let minute = now.timestamp().div_euclid(MINUTE);
        let key = Key { token, action, denied, reason, minute };
        let mut noted = self.noted();
        if let Some(counted) = noted.events.get_mut(&key) {
            counted.count = counted.count.saturating_add(1);
            counted.until = now;
        } else if noted.events.len() < MOST {
            noted.events.insert(key, Counted { first: refusal, count: 1, from: now, until: now });
        } else {
            noted.left_out = noted.left_out.saturating_add(1);
        }
    }

    /// Takes out what was noted in minutes that are over, or everything, and how many refusals
    /// found no room.
    fn take(&self, over: Option<Instant>) -> (Vec<(Key, Counted)>, u64) {
        let minute = over.map(|now| now.timestamp().div_euclid(MINUTE));
        let mut noted = self.noted();
        let is_over = |key: &Key| minute.is_none_or(|minute| key.minute != minute);
        let mut taken: Vec<(Key, Counted)> =
            noted.events.extract_if(|key, _| is_over(key)).collect();
        taken.sort_unstable_by_key(|(key, counted)| (counted.from, key.token));
        (taken, std::mem::take(&mut noted.left_out))
    }

    /// Notes again what could not be written. Its minute is over, so nothing was added since,
    /// unless a clock went back.
    fn give_back(&self, unwritten: Vec<(Key, Counted)>) {
        let mut noted = self.noted();
        for (key, counted) in unwritten {
            let count = counted.count;
            let again = noted.events.entry(key).or_insert(Counted { count: 0, ..counted });
            again.count = again.count.saturating_add(count);
        }
    }

    /// A panic cannot leave it half changed.
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn event(&self, random: &dyn RandomSource) -> Result<AuditEvent, RandomError> {
        let Self { first, count, from, until } = self;
        let denied = first.denied.map(|denied| AuditChange::set("denied", denied.as_str()));
        let facts = [
            AuditChange::set("reason", first.reason),
            AuditChange::set("count", count.to_string()),
            AuditChange::set("first", written(*from)),
            AuditChange::set("last", written(*until)),
        ];
        Ok(AuditEvent {
            id: EventId::generate(*until, random)?,
            date: *until,
            action: first.action,
            actor: first.actor.clone(),
            actor_token: Some(first.token),
            client_address: first.client_address,
            request_id: first.request_id.clone(),
            target: AuditTarget::ApiToken(first.target),
            changes: denied.into_iter().chain(facts).collect(),
        })
    }
}

impl Service {
    /// Notes that the genuine secret of a token was used after its end, or against the policy.
    pub(in crate::service) fn note_ended_use(
        &self,
        token: &ApiToken,
        reason: InvalidTokenReason,
        client_address: Option<IpAddr>,
    ) {
        let reason = match reason {
            InvalidTokenReason::Deleted => "deleted",
            InvalidTokenReason::Expired => "expired",
            InvalidTokenReason::Disabled => "disabled",
            InvalidTokenReason::Policy(rule) => rule.as_str(),
            InvalidTokenReason::Malformed(_)
            | InvalidTokenReason::Unknown
            | InvalidTokenReason::WrongSecret
            | InvalidTokenReason::EndedUnproven => return,
        };
        let refusal = Refusal {
            token: token.id,
            actor: UserInfo { user_id: token.user_id, user_name: token.name.clone() },
            action: AuditAction::ApiTokenUseRefused,
            denied: None,
            reason,
            target: token.id,
            client_address,
            request_id: None,
        };
        self.refusals.note(refusal, self.clock.now());
    }

    /// Writes what was refused in minutes that are over; at the end of the process, everything.
    pub(super) async fn write_refusals(&self, at_end: bool) {
        let over = (!at_end).then(|| self.clock.now());
        let (mut unwritten, left_out) = self.refusals.take(over);
        if left_out > 0 {
            tracing::warn!(
                refusals = left_out,
                "too many refusals for the audit; the log has them"
            );
        }
        while !unwritten.is_empty() {
            let batch = unwritten.iter().take(BATCH);
            let events: Result<Vec<AuditEvent>, RandomError> =
                batch.map(|(_, counted)| counted.event(self.random.as_ref())).collect();
            let written = match events {
                Ok(events) => {
                    self.repository.record_events(events).await.map_err(|e| e.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = written {
                self.metrics.duty_failures.count(Duty::Refusals);
                tracing::warn!(%error, events = unwritten.len(), "refusals are not written yet");
                return self.refusals.give_back(unwritten);
            }
            unwritten.drain(..unwritten.len().min(BATCH));
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::id::UserId;

    fn refusal(number: u128, reason: &'static str) -> Refusal {
        let id = uuid::Uuid::from_u128(number);
        Refusal {
            token: ApiTokenId::from_uuid(id),
            actor: UserInfo { user_id: UserId::from_uuid(id), user_name: "a".to_owned() },
            action: AuditAction::ApiTokenUseRefused,
            denied: None,
            reason,
            target: ApiTokenId::from_uuid(id),
            client_address: None,
            request_id: None,
        }
    }

    fn at(seconds: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn one_kind_in_one_minute_is_one_event() {
        let refusals = Refusals::default();
        for (number, reason, seconds) in
            [(1, "a", 1), (1, "a", 59), (1, "b", 2), (2, "a", 3), (1, "a", 60), (1, "a", 30)]
        {
            refusals.note(refusal(number, reason), at(seconds));
        }
        let (over, left_out) = refusals.take(Some(at(61)));
        let counts: Vec<u64> = over.iter().map(|(_, counted)| counted.count).collect();
        assert_eq!((counts, left_out), (vec![3, 1, 1], 0));
        let (rest, _) = refusals.take(None);
        assert_eq!(rest.len(), 1, "its minute was not over");
        assert_eq!(rest[0].1.from, at(60));
    }

    #[test]
    fn the_memory_is_bounded() {
        let refusals = Refusals::default();
        for number in 0..MOST as u128 + 7 {
            refusals.note(refusal(number, "a"), at(1));
        }
        refusals.note(refusal(3, "a"), at(2));
        let (taken, left_out) = refusals.take(None);
        assert_eq!((taken.len(), left_out), (MOST, 7));
        refusals.give_back(taken);
        let (again, left_out) = refusals.take(None);
        assert_eq!((again.len(), left_out), (MOST, 0));
        assert_eq!(again.iter().map(|(_, counted)| counted.count).sum::<u64>(), MOST as u64 + 1);
    }
}
