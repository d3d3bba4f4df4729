//! Telling in audit events that tokens come to their end.
//!
//! It needs no leader. Every instance looks, and whoever inserts the row of a notice stores its event
//! in the same transaction. What is found is only a candidate: its own end and the notices that it
//! has had decide. So it does no harm to look twice, or where another one has looked already.

mod plan;

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval, sleep};

use self::plan::{Plan, Search};
use crate::db::DbError;
use crate::domain::audit::{AuditAction, AuditChange, AuditEvent, AuditTarget};
use crate::domain::clock::{Instant, written};
use crate::domain::expiry_notice::{ExpiryNotice, NoticeTime, NoticeTimes};
use crate::domain::filter::Window;
use crate::domain::id::{ApiTokenId, EventId};
use crate::domain::policy::Policy;
use crate::domain::random::RandomError;
use crate::domain::user::UserInfo;
use crate::metrics::Duty;
use crate::repository::{EndingToken, Look, Noticed};
use crate::service::Service;

/// The time between two looks. Including the time that one takes, each time before an end is looked
/// for at least once a minute.
const INTERVAL: Duration = Duration::from_secs(30);
/// Notices made in one transaction, which keeps other writers waiting.
const BATCH: usize = 200;
/// Between two such transactions, so that requests get their turn.
const PAUSE: Duration = Duration::from_millis(10);
/// By how much a token may have ended before the last look and still be noticed, if a change of it
/// was committed after that look.
const LATE: TimeDelta = TimeDelta::minutes(10);
/// How long notices are kept after the end. An end so long ago does not come again, unless a clock
/// is set back by as much.
const KEPT: TimeDelta = TimeDelta::days(90);

/// A look ended early.
#[derive(Debug, thiserror::Error)]
enum Unfinished {
    #[error("the policy was changed meanwhile")]
    PolicyChanged,
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// One look, and how many notices it has made.
struct Looking<'a> {
    times: &'a NoticeTimes,
    policy: Policy,
    now: Instant,
    made: usize,
}

impl Service {
    /// Makes the notices that are due, twice a minute until `stop` is ready.
    pub async fn keep_expiry_notices(&self, times: NoticeTimes, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut due = interval(INTERVAL);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = due.tick() => {}
                () = &mut stop => return,
            }
            // What a look has begun is done in steps, each of which stays done.
            tokio::select! {
                () = self.notice_expiries(&times) => {}
                () = &mut stop => return,
            }
        }
    }

    /// Makes the notices that are due now.
    pub async fn notice_expiries(&self, times: &NoticeTimes) {
        let (looked, made) = match self.planned(times).await {
            Ok((mut looking, plan)) => (self.search(&mut looking, &plan).await, looking.made),
            Err(error) => (Err(error.into()), 0),
        };
        if made > 0 {
            tracing::info!(notices = made, "the end of tokens was noticed");
        }
        match looked {
            Ok(()) => {}
            // The next look goes by the new one.
            Err(Unfinished::PolicyChanged) => {}
            Err(error) => {
                self.metrics.duty_failures.count(Duty::ExpiryNotices);
                tracing::warn!(%error, "the end of tokens is not noticed everywhere yet");
            }
        }
    }

    /// What to look at. The events come first: what happens meanwhile is looked at the next time.
    async fn planned<'a>(&self, times: &'a NoticeTimes) -> Result<(Looking<'a>, Plan), DbError> {
        let events = self.repository.newest_event_date().await?;
        let policy = self.repository.policy().await?.policy;
        let now = self.repository.read_clock().await?;
        let last = self.repository.last_looks(times).await?;
        let look = Look { until: now, events, max_lifetime: policy.max_lifetime };
        let plan = Plan::of(times, &last, look, &policy);
        Ok((Looking { times, policy, now, made: 0 }, plan))
    }

    async fn search(&self, looking: &mut Looking<'_>, plan: &Plan) -> Result<(), Unfinished> {
        for search in &plan.searches {
            let (by_creation, window, ended_before) = match search {
                Search::Expiring(window) => (false, *window, None),
                Search::Created { window, ended_before } => (true, *window, *ended_before),
                Search::Changed(window) => {
                    self.look_at_changed(looking, plan, *window).await?;
                    continue;
                }
            };
            let is_new = |token: &EndingToken, end| match ended_before {
                None => plan.is_new_end(end),
                Some((policy, until)) => policy.end(token.created, token.expiry) > until,
            };
            let mut place = None;
            loop {
                let (found, next) = if by_creation {
                    self.repository.tokens_by_creation(window, place).await?
                } else {
                    self.repository.tokens_by_expiry(window, place).await?
                };
                self.notice(looking, found, is_new).await?;
                if next.is_none() {
                    break;
                }
                place = next;
            }
        }
        self.repository.note_look(looking.times, plan.look).await?;
        let long_ago = looking.now - KEPT;
        while self.repository.forget_notices(long_ago).await? > 0 {
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Looks at the tokens of events: one that was made or changed may have less time than a notice
    /// is before its end, and may never come past that instant.
    async fn look_at_changed(
        &self,
        looking: &mut Looking<'_>,
        plan: &Plan,
        window: Window,
    ) -> Result<(), Unfinished> {
        let mut place = None;
        loop {
            let (done, next) = self.repository.done_to_tokens(window, place).await?;
            let (mut changed, mut deleted) = (Vec::new(), Vec::new());
            for (token, action) in done {
                match action {
                    AuditAction::ApiTokenCreated
                    | AuditAction::ApiTokenUpdated
                    | AuditAction::ApiTokenRenewed
                    | AuditAction::ApiTokenRevoked => changed.push(token),
                    AuditAction::ApiTokenDeleted => deleted.push(token),
                    AuditAction::ApiTokenChangeDenied
                    | AuditAction::ApiTokenUseRefused
                    | AuditAction::PolicyUpdated
                    | AuditAction::ApiTokenExpiring
                    | AuditAction::ApiTokenExpired => {}
                }
            }
            if !changed.is_empty() {
                let found = self.repository.ending_tokens(&changed).await?;
                self.notice(looking, found, |_, end| plan.is_new_end(end + LATE)).await?;
            }
            if !deleted.is_empty() {
                self.repository.forget_notices_of(&deleted).await?;
            }
            if next.is_none() {
                return Ok(());
            }
            place = next;
        }
    }

    /// Makes the notices that are due for these tokens. `is_new`: has a token that has ended done so
    /// since the last look?
    async fn notice(
        &self,
        looking: &mut Looking<'_>,
        found: Vec<EndingToken>,
        is_new: impl Fn(&EndingToken, Instant) -> bool,
    ) -> Result<(), Unfinished> {
        let Looking { times, policy, now, .. } = *looking;
        let due = found.into_iter().filter_map(|token| {
            let expiry = policy.end(token.created, token.expiry);
            let time = times.due(expiry, now)?;
            let is_due = time != NoticeTime::END || is_new(&token, expiry);
            is_due.then_some((token.id, ExpiryNotice { token: token.id, time, expiry }))
        });
        let due: BTreeMap<ApiTokenId, ExpiryNotice> = due.collect();
        if due.is_empty() {
            return Ok(());
        }
        let new = self.repository.new_notices(due.into_values().collect()).await?;
        for batch in new.chunks(BATCH) {
            let notices: Result<Vec<_>, RandomError> =
                batch.iter().map(|notice| Ok((*notice, self.expiry_event(notice, now)?))).collect();
            match self.repository.make_notices(policy, notices?).await? {
                Noticed::Made(made) => looking.made += made,
                Noticed::PolicyChanged => return Err(Unfinished::PolicyChanged),
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    fn expiry_event(&self, notice: &ExpiryNotice, now: Instant) -> Result<AuditEvent, RandomError> {
        let end = AuditChange::set("effectiveExpiry", written(notice.expiry));
        let (action, changes) = if notice.time == NoticeTime::END {
            (AuditAction::ApiTokenExpired, vec![end])
        } else {
            let left = (notice.expiry - now).num_seconds().max(0).unsigned_abs();
            let left = humantime::format_duration(Duration::from_secs(left)).to_string();
            let left = AuditChange::set("left", left);
            let due = AuditChange::set("notice", notice.time.to_string());
            (AuditAction::ApiTokenExpiring, vec![end, due, left])
        };
        Ok(AuditEvent {
            id: EventId::generate(now, self.random.as_ref())?,
            date: now,
            action,
            actor: UserInfo::system(),
            actor_token: None,
            client_address: None,
            request_id: None,
            target: AuditTarget::ApiToken(notice.token),
            changes,
        })
    }
}
