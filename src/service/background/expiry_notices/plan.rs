//! Where to look for tokens that come to their end.
//!
//! Since the last look, an end comes within the time of a notice because time passes, because the
//! token is made or changed, or because the policy is. The first is a short part of an index, the
//! second is in the events. Only where these do not suffice are all tokens looked at that end within
//! the longest time: for a new time, after a change of the policy, after a long pause, and where the
//! clock was taken back.

use chrono::TimeDelta;

use crate::domain::clock::Instant;
use crate::domain::expiry_notice::{NoticeTime, NoticeTimes};
use crate::domain::filter::Window;
use crate::domain::policy::{Limit, Policy, Scope};
use crate::repository::Look;

/// After a longer pause, to look at all tokens takes less than to read all events.
const PAUSE: TimeDelta = TimeDelta::days(1);

/// The searches of a look.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) searches: Vec<Search>,
    /// Whoever had ended then has ended before notices were looked for, or has a notice of it; none:
    /// there is no notice of the end yet.
    ended_until: Option<Instant>,
    /// What has been looked at when the searches are done.
    pub(super) look: Look,
}

#[derive(Debug, PartialEq)]
pub(super) enum Search {
    /// Tokens that expire within a window.
    Expiring(Window),
    /// Tokens that were created within a window.
    Created {
        window: Window,
        /// Those that the policy has ended since an instant, by this earlier policy.
        ended_before: Option<(Policy, Instant)>,
    },
    /// Tokens to which something was done within a window.
    Changed(Window),
}

impl Plan {
    /// What to look at, after the last look for each time that was looked for.
    pub(super) fn of(
        times: &NoticeTimes,
        last: &[(NoticeTime, Look)],
        look: Look,
        policy: &Policy,
    ) -> Self {
        let now = look.until;
        let last_of = |time| last.iter().find(|(of, _)| *of == time).map(|(_, look)| *look);
        let goes_on = |last: &Look| {
            let is_recent = last.until <= now && now - last.until <= PAUSE;
            is_recent && is_same(last.max_lifetime, look.max_lifetime)
        };
        let mut searches = Vec::new();
        let end = last_of(NoticeTime::END).filter(|_| times.has_end());
        if let Some(end) = end {
            if end.until < now {
                ends(&mut searches, policy, end.until, now);
            }
            if !is_same(end.max_lifetime, look.max_lifetime)
                && let Some(window) = policy.outlived_before(next(now))
            {
                let before = Policy { max_lifetime: end.max_lifetime, ..Policy::default() };
                let ended_before = Some((before, end.until.min(now)));
                searches.push(Search::Created { window, ended_before });
            }
        }
        let before_end = || times.iter().filter(|time| *time != NoticeTime::END);
        if before_end().all(|time| last_of(time).as_ref().is_some_and(goes_on)) {
            for time in before_end() {
                let since = last_of(time).map_or(now, |last| last.until);
                ends(&mut searches, policy, time.after(since), time.after(now));
            }
        } else if let Some(longest) = times.longest() {
            ends(&mut searches, policy, now, longest.after(now));
        }
        let recent = last.iter().map(|(_, last)| last).filter(|last| goes_on(last));
        if let Some(events) = recent.map(|last| last.events).min()
            && events < look.events
        {
            let (from, to) = (Some(next(events)), Some(next(look.events)));
            searches.push(Search::Changed(Window { from, to }));
        }
        Self { searches, ended_until: end.map(|end| end.until.min(now)), look }
    }

    /// Is an end, which has come, later than what was looked at?
    pub(super) fn is_new_end(&self, end: Instant) -> bool {
        self.ended_until.is_some_and(|until| end > until)
    }
}

/// The searches for the effective ends after one instant, up to another one.
fn ends(searches: &mut Vec<Search>, policy: &Policy, after: Instant, until: Instant) {
    let (from, to) = (next(after), next(until));
    if from >= to {
        return;
    }
    searches.push(Search::Expiring(Window { from: Some(from), to: Some(to) }));
    if let Some(Window { from: since, to }) = policy.outlived_before(to) {
        let first = policy.max_lifetime.duration.and_then(|time| time.before(from));
        let window = Window { from: since.max(first), to };
        searches.push(Search::Created { window, ended_before: None });
    }
}

/// Do two limits mean the same for every token? The time of one that is off does not count.
fn is_same(one: Limit, other: Limit) -> bool {
    one == other || (one.scope == Scope::Off && other.scope == Scope::Off)
}

/// The next instant there is.
fn next(instant: Instant) -> Instant {
    instant.checked_add_signed(TimeDelta::microseconds(1)).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::policy::PolicyDuration;

    const DAY: i64 = 24 * 60 * 60;

    fn at(seconds: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn times(texts: &[&str]) -> NoticeTimes {
        let times = texts.iter().map(|text| NoticeTime::parse(text).unwrap());
        NoticeTimes::new(times.collect()).unwrap()
    }

    fn look(until: i64, events: i64) -> Look {
        Look { until: at(until), events: at(events), max_lifetime: Policy::default().max_lifetime }
    }

    fn looked(times: &NoticeTimes, look: Look) -> Vec<(NoticeTime, Look)> {
        times.iter().map(|time| (time, look)).collect()
    }

    /// After one instant, up to another one.
    fn window(after: i64, until: i64) -> Window {
        Window { from: Some(next(at(after))), to: Some(next(at(until))) }
    }

    fn within(days: i32) -> Policy {
        let duration = PolicyDuration::from_seconds(days * 86_400);
        Policy { max_lifetime: Limit { duration, scope: Scope::All }, ..Policy::default() }
    }

    #[test]
    fn only_what_has_passed_since_the_last_look_is_looked_at() {
        let times = times(&["7d", "1d", "0s"]);
        let last = looked(&times, look(1_000, 900));
        let plan = Plan::of(&times, &last, look(1_030, 1_020), &Policy::default());
        assert_eq!(
            plan.searches,
            [
                Search::Expiring(window(1_000, 1_030)),
                Search::Expiring(window(1_000 + DAY, 1_030 + DAY)),
                Search::Expiring(window(1_000 + 7 * DAY, 1_030 + 7 * DAY)),
                Search::Changed(window(900, 1_020)),
            ]
        );
        assert!(plan.is_new_end(at(1_001)) && !plan.is_new_end(at(1_000)));
        let nothing = Plan::of(&times, &last, look(1_000, 900), &Policy::default());
        assert_eq!(nothing.searches, []);
    }

    #[test]
    fn the_first_look_notices_no_end_that_was_before() {
        let times = times(&["1d", "0s"]);
        let plan = Plan::of(&times, &[], look(1_000, 900), &Policy::default());
        assert_eq!(plan.searches, [Search::Expiring(window(1_000, 1_000 + DAY))]);
        assert!(!plan.is_new_end(at(999)));
        // Another one has looked for the end alone.
        let last = [(NoticeTime::END, look(900, 900))];
        let plan = Plan::of(&times, &last, look(1_000, 900), &Policy::default());
        assert_eq!(
            plan.searches,
            [Search::Expiring(window(900, 1_000)), Search::Expiring(window(1_000, 1_000 + DAY))]
        );
    }

    #[test]
    fn all_are_looked_at_after_a_pause_and_where_the_clock_was_taken_back() {
        let times = times(&["7d", "0s"]);
        let plan = Plan::of(
            &times,
            &looked(&times, look(0, 0)),
            look(2 * DAY, 2 * DAY),
            &Policy::default(),
        );
        assert_eq!(
            plan.searches,
            [Search::Expiring(window(0, 2 * DAY)), Search::Expiring(window(2 * DAY, 9 * DAY))]
        );
        let last = looked(&times, look(9 * DAY, 0));
        let plan = Plan::of(&times, &last, look(DAY, 10), &Policy::default());
        assert_eq!(plan.searches, [Search::Expiring(window(DAY, 8 * DAY))]);
        assert!(!plan.is_new_end(at(DAY)));
    }

    #[test]
    fn a_policy_counts_from_the_creation_and_a_change_of_it_for_all() {
        let times = times(&["1d", "0s"]);
        let policy = within(30);
        let limited =
            |until, events| Look { max_lifetime: policy.max_lifetime, ..look(until, events) };
        let (now, last) = (100 * DAY, 100 * DAY - 30);
        let plan =
            Plan::of(&times, &looked(&times, limited(last, last)), limited(now, last), &policy);
        let created = |window| Search::Created { window, ended_before: None };
        assert_eq!(
            plan.searches,
            [
                Search::Expiring(window(last, now)),
                created(window(last - 30 * DAY, now - 30 * DAY)),
                Search::Expiring(window(last + DAY, now + DAY)),
                created(window(last - 29 * DAY, now - 29 * DAY)),
            ]
        );
        let plan = Plan::of(&times, &looked(&times, look(last, last)), limited(now, now), &policy);
        let all = Window { from: Some(at(0)), to: Some(next(at(now - 30 * DAY))) };
        assert_eq!(
            plan.searches,
            [
                Search::Expiring(window(last, now)),
                created(window(last - 30 * DAY, now - 30 * DAY)),
                Search::Created { window: all, ended_before: Some((Policy::default(), at(last))) },
                Search::Expiring(window(now, now + DAY)),
                created(window(now - 30 * DAY, now - 29 * DAY)),
            ]
        );
    }

    #[test]
    fn the_time_of_a_rule_that_is_off_changes_nothing() {
        let times = times(&["1d"]);
        let mut kept = within(30);
        kept.max_lifetime.scope = Scope::Off;
        let last = Look { max_lifetime: kept.max_lifetime, ..look(1_000, 1_000) };
        let plan = Plan::of(&times, &looked(&times, last), look(1_030, 1_000), &Policy::default());
        assert_eq!(plan.searches, [Search::Expiring(window(1_000 + DAY, 1_030 + DAY))]);
    }
}
