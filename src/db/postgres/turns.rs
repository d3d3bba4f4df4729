//! Turns to use a connection for long. There are fewer turns than connections, so that short work,
//! and with it authentication, always finds one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::db::DbError;

/// Connections reserved for short reads, if there are that many; lanes are among them, but not all.
const SHORT: usize = 2;

/// Turns of one kind, which are given in the order in which they are asked for.
#[derive(Clone)]
pub(super) struct Turns {
    turns: Arc<Semaphore>,
    wait: Duration,
    refusal: &'static str,
}

impl Turns {
    /// Turns to write.
    pub(super) fn to_write(connections: usize, lanes: usize, wait: Duration) -> Self {
        let (writing, _) = shares(connections, lanes);
        Self::new(writing, wait, "too many transactions wait for the database already")
    }

    /// Turns to search.
    pub(super) fn to_search(connections: usize, lanes: usize, wait: Duration) -> Self {
        let (_, searching) = shares(connections, lanes);
        Self::new(searching, wait, "too many searches wait for the database already")
    }

    /// How many there are; call it before any is given.
    pub(super) fn at_once(&self) -> usize {
        self.turns.available_permits()
    }

    fn new(turns: usize, wait: Duration, refusal: &'static str) -> Self {
        Self { turns: Arc::new(Semaphore::new(turns)), wait, refusal }
    }

    pub(super) async fn next(&self) -> Result<OwnedSemaphorePermit, DbError> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        match timeout(self.wait, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(DbError::Unavailable(self.refusal.to_owned())),
        }
    }
}

/// How many of the connections of the pool may write, and how many may search: a third of those that
/// are not reserved for short reads. With one connection everything waits for it; with two or three,
/// one kind may take what the other leaves.
fn shares(connections: usize, lanes: usize) -> (usize, usize) {
    let short = SHORT.saturating_sub(lanes).max(1);
    let long = connections.saturating_sub(short).max(1);
    let searching = (long / 3).max(1);
    (long.saturating_sub(searching).max(1), searching)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_connections_are_for_short_reads_alone() {
        assert_eq!(shares(1, 0), (1, 1));
        assert_eq!(shares(2, 0), (1, 1));
        assert_eq!(shares(3, 0), (1, 1));
        assert_eq!(shares(4, 0), (1, 1));
        assert_eq!(shares(8, 0), (4, 2));
        assert_eq!(shares(20, 0), (12, 6));
        for connections in 4..200 {
            let (writing, searching) = shares(connections, 0);
            assert_eq!(writing + searching, connections - SHORT);
        }
    }

    #[test]
    fn beside_lanes_one_connection_is_for_short_reads_alone() {
        assert_eq!(shares(6, 1), (4, 1));
        assert_eq!(shares(6, 2), (4, 1));
        assert_eq!(shares(16, 16), (10, 5));
    }
}
