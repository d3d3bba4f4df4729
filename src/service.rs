//! The use cases, one file each, in rooms: `token` makes, changes and ends; `read` reads; `start`
//! and `background` run beside the requests; `judge` decides on secrets, for whoever asks
//! (`authenticate`) and for other services (`verify`). A use case takes the principal, decides, and
//! runs the repository.

mod audit_log;
mod authenticate;
mod background;
mod export;
mod failed_proofs;
mod failure;
mod feed;
mod judge;
mod live;
mod policy;
mod proof;
mod prune;
mod quota;
mod read;
mod start;
mod token;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::db::DbError;
use crate::domain::catalogue::Catalogue;
use crate::domain::clock::{Clock, Instant};
use crate::domain::lifetime::Lifetime;
use crate::domain::random::RandomSource;
use crate::metrics::Metrics;
use crate::repository::Repository;

pub use audit_log::HELD;
pub use authenticate::{Admitted, Arrival, AuthenticateError, FirstLook, NotCurrent};
pub use background::LAST_USE_INTERVAL;
use background::{LastUses, Refusals};
pub use export::{EXPORT_PAGE, ResumeError};
use failed_proofs::FailedProofs;
pub use failed_proofs::FailureLimits;
pub use failure::Failure;
use feed::Feed;
pub use feed::{FollowedEvent, Following};
pub use judge::JudgeError;
use live::LiveCallers;
pub use live::{Ending, LiveCaller, LiveLimits, TooManyLive};
pub use policy::{PolicyCounts, UpdatePolicy, UpdatePolicyError};
use proof::SecretProofs;
pub use proof::{DEFAULT_COST, MAX_COST, MIN_COST, ProofBusy};
pub use prune::Pruned;
use quota::Counts;
pub use quota::{Quotas, TokenQuota};
pub use read::{Listing, ReadError, Wanted};
pub use start::UnknownPermissions;
pub use token::{
    CreateApiToken, CreateApiTokenError, CreatedApiToken, DeleteApiToken, DeleteApiTokenError,
    DeletedApiToken, RenewApiToken, RenewApiTokenError, RequestedExpiry, RevokeApiTokensError,
    RevokeError, RevokedApiTokens, UpdateApiToken, UpdateApiTokenError, UpdatedApiToken,
};
pub use verify::{MAX_VERIFIED, VerifyApiToken, VerifyApiTokensError, VerifyError};

/// What the use cases need.
pub struct Service {
    repository: Repository,
    catalogue: Arc<Catalogue>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    proofs: SecretProofs,
    failed_proofs: FailedProofs,
    last_uses: LastUses,
    refusals: Refusals,
    max_lifetime: Lifetime,
    lifetime_within_maker: bool,
    last_use_interval: Duration,
    quotas: Quotas,
    counts: Counts,
    feed: Feed,
    live: Arc<LiveCallers>,
    metrics: Arc<Metrics>,
}

/// The rules for tokens that the program sets when it composes the service.
#[derive(Debug, Clone, Copy)]
pub struct TokenRules {
    /// Longest time from now to an expiry.
    pub max_lifetime: Lifetime,
    /// Whether a token ends no later than the one that makes or renews it.
    pub lifetime_within_maker: bool,
    /// Cost of new bcrypt hashes.
    pub bcrypt_cost: u32,
    /// How often last uses are written.
    pub last_use_interval: Duration,
    /// What tokens may make and change.
    pub quotas: Quotas,
    /// How many proofs may fail.
    pub failures: FailureLimits,
}

impl Service {
    /// Composes the use cases. `runtime` runs what blocks, `metrics` counts.
    pub fn new(
        repository: Repository,
        catalogue: Arc<Catalogue>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn RandomSource>,
        rules: TokenRules,
        runtime: Handle,
        metrics: Arc<Metrics>,
    ) -> Self {
        let proofs = SecretProofs::new(
            rules.bcrypt_cost,
            Arc::clone(&random),
            runtime,
            Arc::clone(&metrics),
        );
        let TokenRules { max_lifetime, lifetime_within_maker, last_use_interval, quotas, .. } =
            rules;
        let last_uses = LastUses::default();
        Self {
            repository,
            catalogue,
            clock,
            random,
            proofs,
            failed_proofs: FailedProofs::new(rules.failures),
            last_uses,
            refusals: Refusals::default(),
            max_lifetime,
            lifetime_within_maker,
            last_use_interval,
            quotas,
            counts: Counts::default(),
            feed: Feed::default(),
            live: Arc::default(),
            metrics,
        }
    }

    /// The permissions that this server knows.
    pub const fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// What this server counts about itself.
    pub const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The latest expiry that a new token may have at this instant.
    pub fn latest_expiry(&self, now: Instant) -> Instant {
        self.max_lifetime.end(now).unwrap_or(Instant::MAX_UTC)
    }

    /// The time by which expiry is judged, as far as it is known without asking the database.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Where ids come from.
    pub fn random(&self) -> &dyn RandomSource {
        self.random.as_ref()
    }

    /// Prepares this thread to serve requests.
    pub fn prepare_thread(&self) {
        if let Err(error) = self.repository.prepare_thread() {
            tracing::warn!(%error, "a thread reads the database through others, which is slower");
        }
    }

    /// Does the database answer, and is it migrated?
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<(), DbError> {
        self.repository.ping().await
    }

    /// How often bcrypt has run to prove a secret, since the start.
    pub fn bcrypt_runs(&self) -> u64 {
        self.proofs.runs()
    }

    /// Closes the database cleanly.
    pub async fn close(&self) {
        if let Err(error) = self.repository.close().await {
            tracing::warn!(%error, "the database was not closed cleanly; nothing is lost");
        }
    }
}
