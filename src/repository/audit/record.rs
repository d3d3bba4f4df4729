//! Recording what is done, in the transaction that does it.
//!
//! Events are read in the order of their dates, and a reader that follows the newest ones must not
//! miss an event that was dated early and committed late, because its request waited for a hash or
//! a lock, or the clock of its server is behind. So an event gets its date at the end of its
//! transaction, after all events committed before it: one row has the newest date, and is locked
//! from here to the commit.

use chrono::TimeDelta;
use diesel::dsl::{auto_type, update};
use diesel::prelude::*;
use diesel_async::methods::LoadQuery;
use diesel_async::{AsyncConnection, RunQueryDsl};

use crate::db::{DbError, DbInstant, audit_tail, write_tx};
use crate::domain::audit::AuditEvent;
use crate::domain::clock::Instant;
use crate::repository::Repository;

/// So few events are inserted one by one, by a statement that is prepared once.
pub(in crate::repository) const FEW: usize = 4;

/// Stores events of one date. It is the last step of a transaction: a transaction that holds the
/// tail must not wait for another one.
macro_rules! record {
    ($conn:expr, $events:expr) => {{
        let mut events: Vec<AuditEvent> = $events.into_iter().cloned().collect();
        let wanted = events.iter().map(|event| event.date).max().unwrap_or_default();
        let date = $crate::repository::audit::date_at_tail($conn, wanted).await?;
        for event in &mut events {
            event.date = date;
        }
        if events.len() <= $crate::repository::audit::FEW {
            for event in &events {
                diesel::dsl::insert_into($crate::db::audit_events::table)
                    .values($crate::repository::rows::AuditEventRow::from(event))
                    .execute($conn)
                    .await?;
            }
        } else {
            for events in $crate::repository::rows::InsertEvents::of(&events) {
                events.execute($conn).await?;
            }
        }
    }};
}

/// Stores very many events of one date, which are made one part after the other, so that not all of
/// them are in memory. Their ids are in the order of the items, so that the rows are appended: ids of
/// one instant are random, and in an order of their own each row would touch another page. It is the
/// last step of a transaction, like `record!`.
macro_rules! record_each {
    ($conn:expr, $wanted:expr, $items:expr, $event:expr) => {{
        let made = $items.iter().map($event).map(|event| event.map(|event| event.id));
        let mut ids = made.collect::<QueryResult<Vec<$crate::domain::id::EventId>>>()?;
        ids.sort_unstable();
        let date = $crate::repository::audit::date_at_tail($conn, $wanted).await?;
        let most = $crate::repository::rows::InsertEvents::MOST;
        for (items, ids) in $items.chunks(most).zip(ids.chunks(most)) {
            let events = items.iter().map($event).zip(ids);
            let events =
                events.map(|(event, id)| event.map(|event| AuditEvent { id: *id, date, ..event }));
            let events = events.collect::<QueryResult<Vec<AuditEvent>>>()?;
            for events in $crate::repository::rows::InsertEvents::of(&events) {
                events.execute($conn).await?;
            }
        }
    }};
}

pub(in crate::repository) use {record, record_each};

impl Repository {
    /// Stores events of which nothing else is changed.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have stored
    /// them.
    pub async fn record_events(&self, events: Vec<AuditEvent>) -> Result<(), DbError> {
        tracing::debug!(count = events.len(), "record_events");
        write_tx!(self.db, |conn| {
            record!(conn, &events);
            Ok(())
        })
    }
}

/// The requested date, or the next instant after the newest event if that is later.
pub(in crate::repository) async fn date_at_tail<C>(
    connection: &mut C,
    wanted: Instant,
) -> QueryResult<Instant>
where
    C: AsyncConnection,
    for<'query> locked: LoadQuery<'query, C, DbInstant>,
    for<'query> moved: LoadQuery<'query, C, DbInstant>,
{
    let DbInstant(newest) = locked().get_result(connection).await?;
    let date = wanted.max(newest + TimeDelta::microseconds(1));
    let DbInstant(date) = moved(DbInstant(date)).get_result(connection).await?;
    Ok(date)
}

/// An update that changes nothing locks the row and returns its committed state.
#[auto_type]
pub(in crate::repository) fn locked() -> _ {
    update(audit_tail::table).set(audit_tail::date.eq(audit_tail::date)).returning(audit_tail::date)
}

#[auto_type]
pub(in crate::repository) fn moved(date: DbInstant) -> _ {
    update(audit_tail::table).set(audit_tail::date.eq(date)).returning(audit_tail::date)
}
