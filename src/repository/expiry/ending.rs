//! Finding tokens that may come to their end: by their expiry, by their creation, from which a
//! policy counts, and by what was done to them.

use std::ops::Bound;

use diesel::prelude::*;

use crate::db::{DbError, DbId, DbInstant, Fetch, api_tokens, audit_events, audit_tail, read};
use crate::domain::audit::AuditAction;
use crate::domain::clock::Instant;
use crate::domain::cursor::{Key, Position};
use crate::domain::filter::Window;
use crate::domain::id::ApiTokenId;
use crate::domain::page::Scan;
use crate::repository::Repository;
use crate::repository::list::scanned;

/// Rows that are read at once.
const PAGE: usize = 500;

/// What the end of a token depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndingToken {
    /// Its id.
    pub id: ApiTokenId,
    /// When it was created.
    pub created: Instant,
    /// Its own expiry.
    pub expiry: Instant,
}

type Row = (DbId, DbInstant, DbInstant);

impl From<Row> for EndingToken {
    fn from((id, created, expiry): Row) -> Self {
        Self { id: ApiTokenId::from_uuid(id.0), created: created.0, expiry: expiry.0 }
    }
}

/// A part of what is looked at, and the place from which the next part goes on, if there is one.
type Part<T> = (Vec<T>, Option<Position>);

/// The tokens that can be used until they end.
macro_rules! enabled {
    () => {
        api_tokens::table
            .select((api_tokens::id, api_tokens::creation_date, api_tokens::expiry))
            .into_boxed()
            .filter(api_tokens::deleted_date.is_null())
            .filter(api_tokens::enabled)
    };
}

impl Repository {
    /// Some tokens that expire within this window, those after a place.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tokens_by_expiry(
        &self,
        window: Window,
        after: Option<Position>,
    ) -> Result<Part<EndingToken>, DbError> {
        let scan = scan(window, after);
        let rows: Vec<Row> = read!(self.db, |conn| {
            scanned!(enabled!(), scan.clone(), api_tokens::expiry, api_tokens::id).all(conn).await
        })?;
        Ok(part(rows, |(id, _, expiry)| (expiry.0, id.0)))
    }

    /// Some tokens that were created within this window, those after a place.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tokens_by_creation(
        &self,
        window: Window,
        after: Option<Position>,
    ) -> Result<Part<EndingToken>, DbError> {
        let scan = scan(window, after);
        let rows: Vec<Row> = read!(self.db, |conn| {
            scanned!(enabled!(), scan.clone(), api_tokens::creation_date, api_tokens::id)
                .all(conn)
                .await
        })?;
        Ok(part(rows, |(id, created, _)| (created.0, id.0)))
    }

    /// Some of these tokens: those that can be used until they end.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ending_tokens(&self, ids: &[ApiTokenId]) -> Result<Vec<EndingToken>, DbError> {
        let ids: Vec<DbId> = ids.iter().map(|id| DbId(id.uuid())).collect();
        let rows: Vec<Row> = read!(self.db, |conn| enabled!()
            .filter(api_tokens::id.eq_any(ids.clone()))
            .all(conn)
            .await)?;
        Ok(rows.into_iter().map(EndingToken::from).collect())
    }

    /// What was done to which tokens within this window of dates, after a place.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn done_to_tokens(
        &self,
        window: Window,
        after: Option<Position>,
    ) -> Result<Part<(ApiTokenId, AuditAction)>, DbError> {
        let scan = scan(window, after);
        let rows: Vec<(DbId, DbInstant, String, DbId)> = read!(self.db, |conn| {
            let query = audit_events::table
                .select((
                    audit_events::id,
                    audit_events::date,
                    audit_events::action,
                    audit_events::target_id,
                ))
                .into_boxed();
            scanned!(query, scan.clone(), audit_events::date, audit_events::id).all(conn).await
        })?;
        let (rows, next) =
            part::<_, (DbId, DbInstant, String, DbId)>(rows, |(id, date, ..)| (date.0, id.0));
        let done = rows.into_iter().filter_map(|(_, _, action, target)| {
            Some((ApiTokenId::from_uuid(target.0), AuditAction::stored(&action)?))
        });
        Ok((done.collect(), next))
    }

    /// The date of the newest event. All events that come later have later dates.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn newest_event_date(&self) -> Result<Instant, DbError> {
        let date: DbInstant =
            read!(self.db, |conn| audit_tail::table.select(audit_tail::date).one(conn).await)?;
        Ok(date.0)
    }
}

fn scan(window: Window, after: Option<Position>) -> Scan {
    let at = Position::before_all_at;
    let above = after.map_or(Bound::Unbounded, Bound::Excluded);
    let next = Scan { above, limit: PAGE, ..Scan::all() };
    next.within(window.from.map(at), window.to.map(at))
}

fn part<R, T: From<R>>(rows: Vec<R>, place: impl Fn(&R) -> (Instant, uuid::Uuid)) -> Part<T> {
    let next = rows.last().filter(|_| rows.len() == PAGE).map(|row| {
        let (key, id) = place(row);
        Position { key: Key::Instant(key), id }
    });
    (rows.into_iter().map(T::from).collect(), next)
}
