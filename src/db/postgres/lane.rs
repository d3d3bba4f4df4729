//! The connection that a thread which serves requests has for itself.
//!
//! Most of what a short read costs is to hand it to another thread and back, where the connections of
//! the pool are at home, and to wait for one. A lane is at home on the thread that asks, and its reads
//! do not wait for each other: they are sent one after the other, and PostgreSQL answers in turn.
//! Only single statements that find a few rows by an index go there: nothing that takes long, locks
//! or changes anything, so one that nobody waits for any more leaves nothing but an answer to be
//! skipped. Where there is no lane, or it fails, the pool reads.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::{QueryResult, pg::Pg, result::Error as DieselError};
use diesel_async::{AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::losses::is_lost;
use super::{Connector, PostgresPool, TimedOut, unanswered};
use crate::db::DbError;
use crate::metrics::Retry;

/// Reads that may be under way on a lane; further ones are the business of the pool.
const AT_ONCE: usize = 64;
/// A lane that nothing was heard from for so long, until whoever waited gave up, is not used again.
const GIVEN_UP: Duration = Duration::from_secs(1);
/// How long no other lane is made after one could not be made.
const REST: Duration = Duration::from_secs(1);

thread_local! {
    static HERE: RefCell<Option<Lane>> = const { RefCell::new(None) };
}

/// The lanes of all threads.
pub(super) struct Lanes {
    connector: Arc<Connector>,
    /// Longest time for making one.
    wait: Duration,
    /// How many there may be, and how many threads have the right to one.
    most: usize,
    taken: AtomicUsize,
    open: AtomicUsize,
    /// Since this, in microseconds, is when the lanes were last distrusted.
    start: Instant,
    distrusted: AtomicU64,
}

/// The lane of this thread.
struct Lane {
    lanes: Arc<Lanes>,
    state: State,
}

enum State {
    /// There is none; until then no other one is made.
    Closed(Option<Instant>),
    Opening,
    Open(Arc<Open>),
}

/// An open lane.
pub(crate) struct Open {
    connection: AsyncPgConnection,
    /// As [`Lanes::now`] had it.
    made: u64,
    lanes: Arc<Lanes>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.lanes.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many of the connections are lanes, if so many threads serve requests: one of each, or none
/// where too few would be left. Those of the pool write, search, and read for everybody else.
pub(super) const fn share(connections: usize, threads: usize) -> usize {
    const POOL: usize = 6;
    if connections < POOL || connections - POOL < threads { 0 } else { threads }
}

impl Lanes {
    pub(super) fn new(connector: Arc<Connector>, wait: Duration, most: usize) -> Arc<Self> {
        Arc::new(Self {
            connector,
            wait,
            most,
            taken: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            start: Instant::now(),
            distrusted: AtomicU64::new(0),
        })
    }

    pub(super) const fn most(&self) -> usize {
        self.most
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Gives this thread the right to a lane, which is made when it is first asked for.
    pub(super) fn give_here(self: &Arc<Self>) {
        let one_more = |taken| (taken < self.most).then_some(taken + 1);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        if taken.is_ok() {
            let lane = Lane { lanes: Arc::clone(self), state: State::Closed(None) };
            HERE.with_borrow_mut(|here| *here = Some(lane));
        }
    }

    /// From now on, those that are older are not used.
    pub(super) fn distrust_before(&self, start: Instant) {
        self.distrusted.fetch_max(self.at(start), Ordering::Relaxed);
    }

    fn at(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.start);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    /// The lane of this thread, if it is open. If it is not, it is made meanwhile.
    fn here(self: &Arc<Self>) -> Option<Arc<Open>> {
        HERE.with_borrow_mut(|here| {
            let here = here.as_mut().filter(|here| Arc::ptr_eq(&here.lanes, self))?;
            match &here.state {
                State::Open(open) if open.made > self.distrusted.load(Ordering::Relaxed) => {
                    // Each read holds it twice: in its link, and for its end.
                    (Arc::strong_count(open) <= 2 * AT_ONCE).then(|| Arc::clone(open))
                }
                State::Opening => None,
                State::Closed(Some(until)) if Instant::now() < *until => None,
                State::Open(_) | State::Closed(_) => {
                    here.state = State::Opening;
                    // It goes on on this thread, which has a runtime of its own.
                    tokio::spawn(Arc::clone(self).make_here());
                    None
                }
            }
        })
    }

    async fn make_here(self: Arc<Self>) {
        let made = timeout(self.wait, self.connector.connect()).await;
        let state = if let Ok(Ok(connection)) = made {
            self.open.fetch_add(1, Ordering::Relaxed);
            let (made, lanes) = (self.at(Instant::now()), Arc::clone(&self));
            State::Open(Arc::new(Open { connection, made, lanes }))
        } else {
            // The pool reports why.
            State::Closed(Some(Instant::now() + REST))
        };
        HERE.with_borrow_mut(|here| {
            if let Some(here) = here {
                here.state = state;
            }
        });
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.lanes.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// No longer the lane of this thread.
fn close(open: &Arc<Open>) {
    // Some are given up while their thread ends.
    let _ended = HERE.try_with(|here| {
        let Ok(mut here) = here.try_borrow_mut() else { return };
        let Some(here) = here.as_mut() else { return };
        if matches!(&here.state, State::Open(current) if Arc::ptr_eq(current, open)) {
            here.state = State::Closed(None);
        }
    });
}

/// A connection that others use as well.
pub(crate) struct LaneLink(Arc<Open>);

impl SimpleAsyncConnection for LaneLink {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        (&mut &self.0.connection).batch_execute(query).await
    }
}

/// diesel-async sends the statements of a connection that is shared in one go.
impl AsyncConnectionCore for LaneLink {
    type ExecuteFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<Self::Stream<'conn, 'query>>>;
    type Stream<'conn, 'query> = <AsyncPgConnection as AsyncConnectionCore>::Stream<'conn, 'query>;
    type Row<'conn, 'query> = <AsyncPgConnection as AsyncConnectionCore>::Row<'conn, 'query>;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Pg> + QueryId + 'query,
    {
        let mut connection: &'conn AsyncPgConnection = &self.0.connection;
        AsyncConnectionCore::load(&mut connection, source)
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Pg> + QueryId + 'query,
    {
        let mut connection: &'conn AsyncPgConnection = &self.0.connection;
        AsyncConnectionCore::execute_returning_count(&mut connection, source)
    }
}

/// A read that is under way on the lane of this thread.
pub(crate) struct LaneRead<'a> {
    pool: &'a PostgresPool,
    open: Arc<Open>,
    start: Instant,
    ended: bool,
}

impl PostgresPool {
    /// Begins a read on the lane of this thread, if it has one.
    pub(crate) fn lane_read(&self) -> Option<(LaneLink, LaneRead<'_>)> {
        let open = self.lanes.here()?;
        let link = LaneLink(Arc::clone(&open));
        Some((link, LaneRead { pool: self, open, start: Instant::now(), ended: false }))
    }
}

impl LaneRead<'_> {
    /// What the read answered. `None`: the lane was lost, and the pool reads.
    pub(crate) async fn end<T>(
        mut self,
        mut link: LaneLink,
        answered: Result<QueryResult<T>, TimedOut>,
    ) -> Option<Result<T, DbError>> {
        let answer = match answered {
            Ok(Ok(answer)) => Some(Ok(answer)),
            Ok(Err(error)) => self.failed(&mut link, error).await,
            Err(TimedOut(_)) => {
                close(&self.open);
                Some(Err(unanswered()))
            }
        };
        self.ended = true;
        answer
    }

    async fn failed<T>(
        &self,
        link: &mut LaneLink,
        error: DieselError,
    ) -> Option<Result<T, DbError>> {
        if !is_lost(self.pool, link, &error).await {
            return Some(Err(error.into()));
        }
        close(&self.open);
        self.pool.metrics.retries.count(Retry::Read);
        self.pool.forget_before(self.start);
        None
    }
}

impl Drop for LaneRead<'_> {
    /// Nobody waits any more. If that is because nothing comes, the next one shall not wait either.
    fn drop(&mut self) {
        if !self.ended && self.start.elapsed() >= GIVEN_UP {
            close(&self.open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_leave_six_connections_to_the_pool() {
        assert_eq!(share(5, 1), 0);
        assert_eq!(share(6, 1), 0);
        assert_eq!(share(7, 1), 1);
        assert_eq!(share(8, 2), 2);
        assert_eq!(share(8, 3), 0);
        assert_eq!(share(22, 16), 16);
        assert_eq!(share(1000, 0), 0);
    }
}
