//! The changes that wait for the writer, and the groups in which they are committed.
//!
//! A commit waits for the disk. Changes that come meanwhile are committed together: each in a
//! savepoint of one transaction, so that one that fails takes nothing with it. Nobody is told of a
//! success before the commit of the group, and if that fails, all are told that.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel_async::{AsyncConnection, TransactionManager};
use futures_util::FutureExt;

use super::change::Change;
use super::link::{SqliteLink, begin_immediate};
use crate::db::{DbError, Priority};

/// Most changes in a group.
const MOST: usize = 64;
/// A group that has taken so long takes no other change: its first one waits for its commit.
const LONG: Duration = Duration::from_millis(20);

type Manager = <SqliteLink as AsyncConnection>::TransactionManager;

/// What waits for the writer.
#[derive(Default)]
pub(super) struct Changes(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    /// They go first.
    revocations: VecDeque<Box<dyn Change>>,
    others: VecDeque<Box<dyn Change>>,
    /// Whether somebody runs the groups.
    is_led: bool,
}

impl Changes {
    /// Adds a change. `true`: the caller must see to it that the groups are run.
    pub(super) fn push(&self, priority: Priority, change: Box<dyn Change>) -> bool {
        let mut waiting = self.lock();
        match priority {
            Priority::Revocation => waiting.revocations.push_back(change),
            Priority::Usual => waiting.others.push_back(change),
        }
        !std::mem::replace(&mut waiting.is_led, true)
    }

    /// Is there another group to run? After a `false`, the next change finds another leader.
    pub(super) fn is_waiting(&self) -> bool {
        let mut waiting = self.lock();
        waiting.is_led = !(waiting.revocations.is_empty() && waiting.others.is_empty());
        waiting.is_led
    }

    /// Tells all that wait why they cannot run.
    pub(super) fn refuse(&self, error: &DbError) {
        while let Some((change, _)) = self.next() {
            change.tell(Err(error.clone()));
        }
    }

    /// Runs changes in one transaction. `may_begin` is asked before it, and `is_kept` between the
    /// commit and the acknowledgement.
    pub(super) fn run_group(
        &self,
        link: &mut SqliteLink,
        may_begin: impl FnOnce() -> Result<(), DbError>,
        is_kept: impl FnOnce() -> Result<(), DbError>,
    ) {
        let Some((mut first, mut priority)) = self.next() else { return };
        if let Err(error) = may_begin().and_then(|()| now(begin_immediate(link))) {
            return first.tell(Err(error));
        }
        let start = Instant::now();
        if !first.run(link) {
            // The cause counts; a connection whose roll-back fails is not handed out again.
            let _rolled_back = now(Manager::rollback_transaction(link));
            return first.tell(Ok(()));
        }
        let mut group = vec![first];
        let mut ended = Ok(());
        // Whoever revokes waits for no other change.
        while priority == Priority::Usual && group.len() < MOST && start.elapsed() < LONG {
            let Some((mut change, next)) = self.next() else { break };
            priority = next;
            ended = run_in_savepoint(change.as_mut(), link);
            group.push(change);
            if ended.is_err() {
                break;
            }
        }
        let ended = match ended {
            Ok(()) => commit(link).and_then(|()| is_kept()),
            Err(error) => {
                let _rolled_back = now(Manager::rollback_transaction(link));
                Err(error)
            }
        };
        for change in group {
            change.tell(ended.clone());
        }
    }

    /// The next change that nobody has withdrawn.
    fn next(&self) -> Option<(Box<dyn Change>, Priority)> {
        loop {
            let mut waiting = self.lock();
            let (change, priority) = match waiting.revocations.pop_front() {
                Some(change) => (change, Priority::Revocation),
                None => (waiting.others.pop_front()?, Priority::Usual),
            };
            drop(waiting);
            if change.begin() {
                return Some((change, priority));
            }
        }
    }

    /// A panic cannot leave the queues half changed.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a change so that its failure leaves those before it alone.
///
/// # Errors
/// When the whole transaction has ended: after an error of the disk or of the memory, SQLite itself
/// may have rolled it back (sqlite.org/lang_transaction.html, section 3). Then there is no savepoint
/// to return to.
fn run_in_savepoint(change: &mut dyn Change, link: &mut SqliteLink) -> Result<(), DbError> {
    now(Manager::begin_transaction(link))?;
    if change.run(link) {
        now(Manager::commit_transaction(link))
    } else {
        now(Manager::rollback_transaction(link))
    }
}

fn commit(link: &mut SqliteLink) -> Result<(), DbError> {
    now(Manager::commit_transaction(link)).map_err(DbError::at_commit)
}

/// What an operation on the file answers, which waits for nothing but the disk.
fn now<T>(operation: impl Future<Output = diesel::QueryResult<T>>) -> Result<T, DbError> {
    let answer = operation.now_or_never().ok_or(DbError::OperationPanicked)?;
    Ok(answer?)
}

#[cfg(test)]
mod tests;
