//! The time by which the database decides, and the mark that keeps it from going back.
//!
//! A server knows the latest time that it has seen. The mark is that knowledge for other servers
//! and for the next start. It is moved regularly, and by each transaction that ends a token at an
//! instant that may be near.

use diesel::dsl::{auto_type, select, update};
use diesel::prelude::*;
use diesel_async::methods::ExecuteDsl;
use diesel_async::{AsyncConnection, RunQueryDsl};

use super::Repository;
use crate::db::{
    ClockMark, ClockReading, DbError, DbInstant, Fetch, Now, audit_tail, read, write_tx,
};
use crate::domain::clock::{self, Clock, ClockTurn, Instant, SteadyClock};

impl Repository {
    /// Reads the clock that decides.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read_clock(&self) -> Result<Instant, DbError> {
        let clock = self.clock.clone();
        let (own, DbInstant(time), DbInstant(mark)) = read!(self.db, |conn| {
            let own = clock.own();
            let asked = (ClockReading(DbInstant(own)), ClockMark);
            let answer: QueryResult<(DbInstant, DbInstant)> = select(asked).one(conn).await;
            answer.map(|(time, mark)| (own, time, mark))
        })?;
        Ok(seen(&self.clock, clock::ClockReading { own, time, mark }))
    }

    /// Moves the mark to the time that it is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn move_clock_mark(&self) -> Result<(), DbError> {
        self.read_clock().await?;
        let clock = self.clock.clone();
        write_tx!(self.db, |conn| move_mark(conn, &clock).await)
    }
}

/// Moves the mark to the time that it is. To be called at the end of a transaction, like the
/// recording of events, and for the same reason.
pub(super) async fn move_mark<C>(connection: &mut C, clock: &SteadyClock) -> QueryResult<()>
where
    C: AsyncConnection,
    marked: ExecuteDsl<C>,
{
    marked(now(clock)).execute(connection).await?;
    Ok(())
}

#[auto_type]
pub(super) fn marked(now: Now) -> _ {
    update(audit_tail::table).filter(audit_tail::clock.lt(now)).set(audit_tail::clock.eq(now))
}

/// The time that decides at a reading.
pub(super) fn seen(clock: &SteadyClock, reading: clock::ClockReading) -> Instant {
    let (now, turn) = clock.read(reading);
    match turn {
        Some(ClockTurn::Back(by)) => tracing::error!(
            clock = %clock::written(reading.time),
            "THE CLOCK WAS SET BACK by {} seconds. Until it shows {} again, this instant counts as \
             the time: no token that has expired by then is valid again. `docs/deployment.md` \
             (Time) says what to do",
            by.num_seconds(),
            clock::written(now),
        ),
        Some(ClockTurn::CaughtUp) => tracing::warn!("the clock is no longer behind"),
        None => {}
    }
    now
}

/// The time by which a statement decides; to be taken right before it.
pub(super) fn now(clock: &SteadyClock) -> Now {
    Now { seen: DbInstant(clock.latest()), own: DbInstant(clock.now()) }
}
