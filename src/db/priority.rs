//! Which transactions go first: those that take power away do not wait behind all the others.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::DbError;

/// Where a transaction queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Behind all that asked before it.
    Usual,
    /// For a change that takes power away: behind what runs, and behind other revocations.
    Revocation,
}

/// A gate in front of the queue for connections, which revocations go past. It lets only as many
/// others through as can run at once, so that none of them waits in that queue.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    passes: Arc<Semaphore>,
    wait: Duration,
}

impl Gate {
    /// A gate before so many connections; `wait` is the longest wait at it.
    pub(super) fn before(connections: usize, wait: Duration) -> Self {
        Self { passes: Arc::new(Semaphore::new(connections)), wait }
    }

    /// Waits at the gate. What is returned is to be held to the end of the transaction.
    pub(super) async fn pass(
        &self,
        priority: Priority,
    ) -> Result<Option<OwnedSemaphorePermit>, DbError> {
        if priority == Priority::Revocation {
            return Ok(None);
        }
        let pass = Arc::clone(&self.passes).acquire_owned();
        match timeout(self.wait, pass).await {
            Ok(Ok(pass)) => Ok(Some(pass)),
            Ok(Err(_)) | Err(_) => {
                let refusal = "too many transactions wait for the database already";
                Err(DbError::Unavailable(refusal.to_owned()))
            }
        }
    }
}
