//! How far the audit log is written, and by whom: one row, which one instance holds for a while.

use diesel::dsl::update;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::db::{DbError, DbId, DbInstant, audit_log, audit_tail, read, write_tx};
use crate::domain::clock::Instant;
use crate::domain::cursor::{Key, Position};
use crate::repository::Repository;

impl Repository {
    /// Claims the audit log until an instant, unless another holder has claimed it to beyond now.
    /// Returns the place up to which it is written. Who claims it first begins with what is
    /// recorded from then on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_audit_log(
        &self,
        holder: Uuid,
        now: Instant,
        until: Instant,
    ) -> Result<Option<Position>, DbError> {
        let (holder, now, until) = (DbId(holder), DbInstant(now), DbInstant(until));
        let place = write_tx!(self.db, |conn| {
            let free = audit_log::holder.eq(holder).or(audit_log::held_until.lt(now));
            let claimed: Option<(Option<DbInstant>, DbId)> = update(audit_log::table.filter(free))
                .set((audit_log::holder.eq(holder), audit_log::held_until.eq(until)))
                .returning((audit_log::date, audit_log::event_id))
                .get_result(conn)
                .await
                .optional()?;
            match claimed {
                None => Ok(None),
                Some((Some(date), id)) => Ok(Some((date, id))),
                Some((None, _)) => {
                    let newest: DbInstant =
                        audit_tail::table.select(audit_tail::date).get_result(conn).await?;
                    // All events of that instant are recorded already.
                    let last = DbId(Uuid::max());
                    update(audit_log::table)
                        .set((audit_log::date.eq(newest), audit_log::event_id.eq(last)))
                        .execute(conn)
                        .await?;
                    Ok(Some((newest, last)))
                }
            }
        })?;
        Ok(place.map(|(date, id)| Position { key: Key::Instant(date.0), id: id.0 }))
    }

    /// Notes that the audit log is written up to an event, and goes on to hold it. False if another
    /// holder has claimed it since.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn move_audit_log(
        &self,
        holder: Uuid,
        date: Instant,
        event: Uuid,
        until: Instant,
    ) -> Result<bool, DbError> {
        let (holder, event) = (DbId(holder), DbId(event));
        let (date, until) = (DbInstant(date), DbInstant(until));
        let moved = write_tx!(self.db, |conn| {
            update(audit_log::table.filter(audit_log::holder.eq(holder)))
                .set((
                    audit_log::date.eq(date),
                    audit_log::event_id.eq(event),
                    audit_log::held_until.eq(until),
                ))
                .execute(conn)
                .await
        })?;
        Ok(moved > 0)
    }

    /// Lets another holder claim the audit log at once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn release_audit_log(&self, holder: Uuid) -> Result<(), DbError> {
        let (holder, never) = (DbId(holder), DbInstant(Instant::UNIX_EPOCH));
        write_tx!(self.db, |conn| {
            update(audit_log::table.filter(audit_log::holder.eq(holder)))
                .set(audit_log::held_until.eq(never))
                .execute(conn)
                .await
        })?;
        Ok(())
    }

    /// The date of the event up to which the audit log is written, if it ever was.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn audit_log_date(&self) -> Result<Option<Instant>, DbError> {
        let date: Option<DbInstant> =
            read!(self.db, |conn| audit_log::table.select(audit_log::date).get_result(conn).await)?;
        Ok(date.map(|date| date.0))
    }
}
