//! Queries in domain words: domain types in and out, rows and SQL within. Each query is written
//! once for both backends.

mod audit;
mod clock;
mod expiry;
mod list;
mod name_keys;
mod permissions;
#[cfg(test)]
mod plans;
mod policy;
mod prune;
mod rows;
mod token;
mod user;
mod version;

use std::sync::Arc;

use crate::db::{Database, DbError};
use crate::domain::clock::SteadyClock;
use crate::metrics::PoolLevel;

pub use audit::AuditEventList;
pub use expiry::{EndingToken, Look, Noticed};
pub use list::List;
pub use policy::PolicyUpdated;
pub use prune::PrunedTokens;
use token::KnownCredentials;
pub use token::{
    ApiTokenList, CredentialRead, Deleted, Deletion, Descendants, EventOf, Inserted, NotOnce, Once,
    Orphan, Renewal, Renewed, RevocationRecord, RevokeMany, RevokeOutcome, Revoked, Unclaimed,
    Update, Updated, UsedKey,
};
pub use user::UserList;

/// The queries of the product. Cheap to clone.
#[derive(Clone)]
pub struct Repository {
    db: Database,
    clock: Arc<SteadyClock>,
    known: Arc<KnownCredentials>,
}

impl Repository {
    /// Queries on this database, which tell the clock what time it is.
    pub fn new(db: Database, clock: Arc<SteadyClock>) -> Self {
        Self { db, clock, known: Arc::new(KnownCredentials::new()) }
    }

    /// Prepares this thread to serve requests.
    ///
    /// # Errors
    /// When the file cannot be opened. The thread can serve requests all the same.
    pub fn prepare_thread(&self) -> Result<(), DbError> {
        self.db.prepare_thread()
    }

    /// Bytes that are free on the disk of the database, if that is here.
    ///
    /// # Errors
    /// When the disk cannot be asked.
    pub async fn free_space(&self) -> Result<Option<u64>, DbError> {
        self.db.free_space().await
    }

    /// The kind of database, and its connections by what they are for.
    pub fn pools(&self) -> (&'static str, Vec<PoolLevel>) {
        self.db.pools()
    }

    /// Closes the database cleanly.
    ///
    /// # Errors
    /// When the last step fails; nothing is lost.
    pub async fn close(&self) -> Result<(), DbError> {
        self.db.close().await
    }
}
