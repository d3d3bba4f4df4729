//! How many tokens there are, for the metrics: counted from time to time, however often somebody
//! reads the numbers, and beside the requests, as searches do.

use std::pin::pin;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio::time::sleep;

use crate::db::DbError;
use crate::domain::api_token::ApiTokenStatus;
use crate::domain::clock;
use crate::domain::cursor::Position;
use crate::domain::filter::{ApiTokenFilter, Window};
use crate::domain::order::{ApiTokenOrderField, Direction};
use crate::domain::page::Scan;
use crate::domain::policy::Policy;
use crate::metrics::{Census, Duty, Levels};
use crate::repository::List;
use crate::service::Service;

/// The least time between two countings.
const INTERVAL: Duration = Duration::from_secs(300);
/// How much longer than a counting the pause after it is, so that it takes no more than one part in
/// a hundred of a processor.
const PAUSE: u32 = 100;
/// Longest wait for the disk when its free space is asked for.
const DISK: Duration = Duration::from_secs(1);
/// Within how many days tokens expire that are counted.
const DAYS: [u16; 3] = [1, 7, 30];

impl Service {
    /// Counts the tokens over and over, until `stop` is ready.
    pub async fn keep_census(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            let start = Instant::now();
            tokio::select! {
                () = self.take_census() => {}
                () = &mut stop => return,
            }
            let pause = INTERVAL.max(start.elapsed().saturating_mul(PAUSE));
            tokio::select! {
                () = sleep(pause) => {}
                () = &mut stop => return,
            }
        }
    }

    /// Counts the tokens once.
    pub async fn take_census(&self) {
        match self.count_tokens().await {
            Ok(census) => self.metrics.census.set(census),
            Err(error) => {
                self.metrics.duty_failures.count(Duty::Census);
                tracing::warn!(%error, "the tokens are not counted for the metrics");
            }
        }
    }

    /// What is under way now.
    pub async fn levels(&self) -> Levels {
        let (database, pools) = self.repository.pools();
        let free_space = tokio::time::timeout(DISK, self.repository.free_space()).await;
        Levels {
            database,
            pools,
            free_space: free_space.ok().and_then(Result::ok).flatten(),
            hashing: self.proofs.hashing(),
            last_uses: self.last_uses.len(),
            sockets: self.live_callers(),
        }
    }

    /// Counts along the indexes on the expiry and on disabled tokens: whether a token is enabled is
    /// not in the first of them, so tokens that are not disabled are what is left of all.
    async fn count_tokens(&self) -> Result<Census, DbError> {
        let at = self.clock.now();
        let policy = &self.repository.policy().await?.policy;
        let count = async |status: &[ApiTokenStatus], expiry: Window| {
            let status = status.to_vec();
            let filter = ApiTokenFilter { status, expiry, ..ApiTokenFilter::default() };
            let field = ApiTokenOrderField::Expiry;
            let list = self.repository.api_token_list(&filter, policy, at, field);
            let count = list.count().await?;
            Ok::<u64, DbError>(u64::try_from(count).unwrap_or(0))
        };
        let (any, disabled) = (
            [ApiTokenStatus::Active, ApiTokenStatus::Disabled].as_slice(),
            [ApiTokenStatus::Disabled].as_slice(),
        );
        let active = async |expiry: Window| {
            let all = count(any, expiry).await?;
            Ok::<u64, DbError>(all.saturating_sub(count(disabled, expiry).await?))
        };
        let mut expiring = DAYS.map(|days| (days, 0));
        for (days, number) in &mut expiring {
            let to = Some(at + TimeDelta::days(i64::from(*days)));
            *number = active(Window { from: None, to }).await?;
        }
        Ok(Census {
            at,
            active: active(Window::default()).await?,
            disabled: count(disabled, Window::default()).await?,
            expired: count(&[ApiTokenStatus::Expired], Window::default()).await?,
            expiring,
            next_expiry: self.next_expiry(policy, at).await?,
        })
    }

    /// When the next token expires that is active.
    async fn next_expiry(
        &self,
        policy: &Policy,
        at: clock::Instant,
    ) -> Result<Option<clock::Instant>, DbError> {
        let status = vec![ApiTokenStatus::Active];
        let filter = ApiTokenFilter { status, ..ApiTokenFilter::default() };
        let first = async |field, scan: Scan| {
            let list = self.repository.api_token_list(&filter, policy, at, field);
            let rows =
                list.scan(Scan { direction: Direction::Ascending, limit: 1, ..scan }).await?;
            Ok::<_, DbError>(rows.first().map(|row| policy.effective_expiry(&row.value)))
        };
        let own = first(ApiTokenOrderField::Expiry, Scan::all()).await?;
        // The longest lifetime ends first the oldest token that it is for.
        let Some(since) = policy.max_lifetime.scope.since() else { return Ok(own) };
        let oldest = Scan::all().within(Some(Position::before_all_at(since)), None);
        let oldest = first(ApiTokenOrderField::CreationDate, oldest).await?;
        Ok([own, oldest].into_iter().flatten().min())
    }
}
