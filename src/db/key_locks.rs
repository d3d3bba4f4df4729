//! Locks by key that a transaction holds to its end.
//!
//! PostgreSQL queues for an advisory lock in the order of asking: who wants a key alone waits for
//! the current holders, and whoever asks later waits behind. Row locks are not fair in this way: a
//! stream of transactions that share a row (`FOR SHARE`) keeps a transaction that wants to change
//! it waiting for as long as the stream lasts.
//!
//! A transaction takes its locks in the order of the ids and before it locks a row. So no
//! transactions wait for each other in a circle. The locks belong to the transaction, not to
//! the session, and need nothing of the session. SQLite has only one writing transaction at a time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::ready;

use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use uuid::Uuid;

use super::sqlite::SqliteLink;

/// The locks of one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyLocks(BTreeMap<Uuid, Hold>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    Shared,
    Alone,
}

/// What is locked for an id: its last 64 bits, 62 of which are random in version 7 (RFC 9562). As
/// two numbers they are in a space of their own, which the lock of the migrations is not in: that
/// one has a single number (PostgreSQL manual, "Advisory Locks").
fn key(id: Uuid) -> [i32; 2] {
    let [.., a, b, c, d, e, f, g, h] = *id.as_bytes();
    [[a, b, c, d], [e, f, g, h]].map(i32::from_be_bytes)
}

impl KeyLocks {
    /// Others may share the key, but nobody has it alone.
    pub(crate) fn shared(self, id: Uuid) -> Self {
        self.with(id, Hold::Shared)
    }

    /// Nobody else has the key.
    pub(crate) fn alone(self, id: Uuid) -> Self {
        self.with(id, Hold::Alone)
    }

    fn with(mut self, id: Uuid, hold: Hold) -> Self {
        let held = self.0.entry(id).or_insert(hold);
        *held = hold.max(*held);
        self
    }

    fn statements(&self) -> String {
        let mut statements = String::new();
        for (id, hold) in &self.0 {
            let function = match hold {
                Hold::Shared => "pg_advisory_xact_lock_shared",
                Hold::Alone => "pg_advisory_xact_lock",
            };
            let [first, second] = key(*id);
            // Writing to a text does not fail.
            let _written = write!(statements, "SELECT {function}({first}, {second});");
        }
        statements
    }
}

/// A connection that can lock keys.
pub(crate) trait LockKeys {
    /// Whether rows are locked one by one. If not, a transaction that writes has all of them.
    const LOCKS_ROWS: bool;

    /// Waits for the locks. What the transaction reads after this is as the previous holders left
    /// it.
    fn lock_keys(&mut self, locks: &KeyLocks) -> impl Future<Output = QueryResult<()>> + Send;
}

impl LockKeys for AsyncPgConnection {
    const LOCKS_ROWS: bool = true;

    /// One message with a statement for each lock: the server runs them one after the other, while
    /// the order within a statement is its own.
    async fn lock_keys(&mut self, locks: &KeyLocks) -> QueryResult<()> {
        match locks.statements().as_str() {
            "" => Ok(()),
            statements => self.batch_execute(statements).await,
        }
    }
}

impl LockKeys for SqliteLink {
    const LOCKS_ROWS: bool = false;

    fn lock_keys(&mut self, _: &KeyLocks) -> impl Future<Output = QueryResult<()>> + Send {
        ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_in_the_order_of_the_ids_and_each_is_taken_once() {
        let [low, high] = [(0, 5), (1, u64::MAX)].map(|(a, b)| Uuid::from_u64_pair(a, b));
        let expected = "SELECT pg_advisory_xact_lock(0, 5);\
                        SELECT pg_advisory_xact_lock_shared(-1, -1);";
        let locks = KeyLocks::default().shared(high).alone(low);
        assert_eq!(locks.statements(), expected);
        assert_eq!(KeyLocks::default().alone(low).shared(low).shared(high), locks);
        assert_eq!(KeyLocks::default().shared(low).alone(low).shared(high), locks);
        assert_eq!(KeyLocks::default().statements(), "");
    }
}
