//! How far notices have been looked for: a row for each time before the end.

use diesel::dsl::{insert_into, update};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::{DbError, DbInstant, Fetch, expiry_looks, read, write_tx};
use crate::domain::clock::Instant;
use crate::domain::expiry_notice::{NoticeTime, NoticeTimes};
use crate::domain::policy::{Limit, PolicyDuration, Scope};
use crate::repository::Repository;

/// What was looked at. It stays true: each of two instances that look at the same time may store its
/// own, in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The notices that were due at this instant have been made.
    pub until: Instant,
    /// They were made for tokens as these were after the events up to this date.
    pub events: Instant,
    /// They were made under this longest lifetime of the policy.
    pub max_lifetime: Limit,
}

type Row = (i32, DbInstant, DbInstant, Option<i32>, Option<DbInstant>);

impl Repository {
    /// The last look for each of these times; none for one that was never looked for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last_looks(
        &self,
        times: &NoticeTimes,
    ) -> Result<Vec<(NoticeTime, Look)>, DbError> {
        let rows: Vec<Row> = read!(self.db, |conn| expiry_looks::table
            .select(expiry_looks::all_columns)
            .all(conn)
            .await)?;
        let looks = rows.into_iter().map(|(seconds, until, events, lifetime, since)| {
            let max_lifetime = Limit {
                duration: lifetime.and_then(PolicyDuration::from_seconds),
                scope: Scope::from_since(since.map(|since| since.0)),
            };
            let look = Look { until: until.0, events: events.0, max_lifetime };
            (NoticeTime::from_seconds(seconds), look)
        });
        Ok(looks.filter(|(time, _)| times.iter().any(|wanted| wanted == *time)).collect())
    }

    /// Notes a look for all of these times.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_look(&self, times: &NoticeTimes, look: Look) -> Result<(), DbError> {
        let times: Vec<i32> = times.iter().map(NoticeTime::seconds).collect();
        write_tx!(self.db, |conn| {
            let seen = (
                expiry_looks::looked_until.eq(DbInstant(look.until)),
                expiry_looks::events_until.eq(DbInstant(look.events)),
                expiry_looks::max_lifetime_seconds
                    .eq(look.max_lifetime.duration.map(PolicyDuration::seconds)),
                expiry_looks::max_lifetime_since.eq(look.max_lifetime.scope.since().map(DbInstant)),
            );
            for seconds in times {
                let known = update(expiry_looks::table)
                    .filter(expiry_looks::seconds.eq(seconds))
                    .set(seen)
                    .execute(conn)
                    .await?;
                if known == 0 {
                    insert_into(expiry_looks::table)
                        .values((expiry_looks::seconds.eq(seconds), seen))
                        .on_conflict_do_nothing()
                        .execute(conn)
                        .await?;
                }
            }
            Ok(())
        })
    }
}
