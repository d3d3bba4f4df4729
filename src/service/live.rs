//! Callers whose connection stays open after they were admitted. Each is judged again before
//! anything is shown to it, and every few seconds while nothing is.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Admitted, NotCurrent, Service};
use crate::db::DbError;
use crate::domain::clock::Instant;
use crate::domain::id::ApiTokenId;
use crate::domain::verdict::{InvalidTokenReason, TokenRefusal};
use crate::metrics::Duty;
use crate::repository::CredentialRead;

/// How often callers that are shown nothing are judged again.
const EVERY: Duration = Duration::from_secs(5);
/// Tokens that are read at once.
const TOGETHER: usize = 500;

/// How many callers may stay at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveLimits {
    /// In all.
    pub all: usize,
    /// With one token.
    pub per_token: usize,
}

/// Why a caller may not stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooManyLive {
    /// There are as many as there may be.
    #[error("too many sockets in all")]
    InAll,
    /// There are as many with this token as there may be.
    #[error("too many sockets with this token")]
    WithThisToken,
}

/// Why a caller that stayed must go.
#[derive(Debug, Clone, Copy)]
pub enum Ending {
    /// The token may no longer be used.
    Refused(TokenRefusal),
    /// It is not known whether it may be used, or what happened cannot be read.
    Unavailable,
}

/// The callers that stay.
#[derive(Debug, Default)]
pub(super) struct LiveCallers(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    /// The number of the next one.
    next: u64,
    by_token: HashMap<ApiTokenId, HashMap<u64, Weak<LiveCaller>>>,
}

/// A caller that stays until it is dropped.
#[derive(Debug)]
pub struct LiveCaller {
    token: ApiTokenId,
    number: u64,
    callers: Arc<LiveCallers>,
    admitted: Mutex<Arc<Admitted>>,
    ending: OnceLock<Ending>,
    ended: CancellationToken,
}

impl LiveCallers {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(
        self: &Arc<Self>,
        token: ApiTokenId,
        admitted: Admitted,
        limits: LiveLimits,
    ) -> Result<Arc<LiveCaller>, TooManyLive> {
        let mut open = self.open();
        if open.all >= limits.all {
            return Err(TooManyLive::InAll);
        }
        if open.by_token.get(&token).is_some_and(|own| own.len() >= limits.per_token) {
            return Err(TooManyLive::WithThisToken);
        }
        let number = open.next;
        open.next += 1;
        open.all += 1;
        let live = Arc::new(LiveCaller {
            token,
            number,
            callers: Arc::clone(self),
            admitted: Mutex::new(Arc::new(admitted)),
            ending: OnceLock::new(),
            ended: CancellationToken::new(),
        });
        open.by_token.entry(token).or_default().insert(number, Arc::downgrade(&live));
        Ok(live)
    }

    fn tokens(&self) -> Vec<ApiTokenId> {
        self.open().by_token.keys().copied().collect()
    }

    fn with(&self, token: ApiTokenId) -> Vec<Arc<LiveCaller>> {
        let open = self.open();
        let own = open.by_token.get(&token).into_iter().flat_map(HashMap::values);
        own.filter_map(Weak::upgrade).collect()
    }
}

impl LiveCaller {
    /// The caller as it was judged last.
    pub fn admitted(&self) -> Arc<Admitted> {
        Arc::clone(&self.admitted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns when the caller must go.
    pub async fn ended(&self) -> Ending {
        self.ended.cancelled().await;
        self.ending.get().copied().unwrap_or(Ending::Unavailable)
    }

    /// The caller must go. The first reason counts.
    pub fn end(&self, ending: Ending) {
        let _first = self.ending.set(ending);
        self.ended.cancel();
    }

    /// `used`: a use of the token that may not be stored yet.
    fn judge(
        &self,
        found: Option<CredentialRead>,
        used: Option<Instant>,
    ) -> Result<Arc<Admitted>, TokenRefusal> {
        let unknown = TokenRefusal::Invalid {
            reason: InvalidTokenReason::Unknown,
            claimed: Some(self.token),
        };
        let judged = found.ok_or(unknown);
        let judged = judged.and_then(|found| self.admitted().judged_again(found, || used));
        match judged {
            Ok(admitted) => {
                let admitted = Arc::new(admitted);
                let mut current = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
                *current = Arc::clone(&admitted);
                Ok(admitted)
            }
            Err(refusal) => {
                self.end(Ending::Refused(refusal));
                Err(refusal)
            }
        }
    }
}

impl Drop for LiveCaller {
    fn drop(&mut self) {
        let mut open = self.callers.open();
        open.all = open.all.saturating_sub(1);
        if let Some(own) = open.by_token.get_mut(&self.token) {
            own.remove(&self.number);
            if own.is_empty() {
                open.by_token.remove(&self.token);
            }
        }
    }
}

impl Service {
    /// The caller stays, and is judged again and again from now on.
    ///
    /// # Errors
    /// When there are as many as the limits allow.
    pub fn stay(
        &self,
        token: ApiTokenId,
        admitted: Admitted,
        limits: LiveLimits,
    ) -> Result<Arc<LiveCaller>, TooManyLive> {
        self.live.enter(token, admitted, limits)
    }

    /// How many callers stay now.
    pub fn live_callers(&self) -> usize {
        self.live.open().all
    }

    /// The caller as it may be now, by its row, which is read for it.
    ///
    /// # Errors
    /// When it may be no longer, or that is not known.
    pub async fn current(&self, live: &LiveCaller) -> Result<Arc<Admitted>, NotCurrent> {
        let found = self.repository.proven_credential(live.token).await?;
        Ok(live.judge(found, self.last_uses.latest(live.token))?)
    }

    /// Judges all callers that stay again, over and over until `stop` is ready.
    pub async fn keep_live_callers(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut due = interval(EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = due.tick() => {
                    if let Err(error) = self.judge_live_callers().await {
                        self.metrics.duty_failures.count(Duty::LiveCallers);
                        tracing::warn!(%error, "callers on sockets could not be judged again");
                    }
                }
                () = &mut stop => return,
            }
        }
    }

    /// Each token is read once, however many callers came with it.
    async fn judge_live_callers(&self) -> Result<(), DbError> {
        for tokens in self.live.tokens().chunks(TOGETHER) {
            let found = self.repository.proven_credentials(tokens).await?;
            for token in tokens {
                let used = self.last_uses.latest(*token);
                for live in self.live.with(*token) {
                    let _ended_by_itself = live.judge(found.get(token).cloned(), used);
                }
            }
            yield_now().await;
        }
        Ok(())
    }
}
