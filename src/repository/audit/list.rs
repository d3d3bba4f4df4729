//! Audit events: one of them, and the list.

use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::db::{Database, DbError, DbId, Fetch, Part, audit_events, read, search};
use crate::domain::audit::AuditEvent;
use crate::domain::cursor::Position;
use crate::domain::filter::AuditEventFilter;
use crate::domain::id::EventId;
use crate::domain::page::{Row, Scan};
use crate::repository::Repository;
use crate::repository::list::{List, bounded, scanned, timed};
use crate::repository::rows::AuditEventRow;

/// The events that meet a filter, sorted by their dates.
pub struct AuditEventList {
    db: Database,
    filter: AuditEventFilter,
}

/// Narrows a boxed query to the events that meet a filter, whenever they were.
macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query, $filter);
        let mut words = filter.actions.iter().map(|action| action.as_str());
        match (words.next(), words.len()) {
            (None, _) => {}
            // A condition of its own, so that an index on the actions is read in the order of the
            // dates.
            (Some(only), 0) => query = query.filter(audit_events::action.eq(only)),
            (Some(first), _) => {
                let words: Vec<_> = std::iter::once(first).chain(words).collect();
                query = query.filter(audit_events::action.eq_any(words));
            }
        }
        if let Some(id) = filter.actor_user_id {
            query = query.filter(audit_events::actor_user_id.eq(DbId(id.uuid())));
        }
        if let Some(id) = filter.target {
            query = query.filter(audit_events::target_id.eq(DbId(id.uuid())));
        }
        query
    }};
}

impl Repository {
    /// One event.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn audit_event(&self, id: EventId) -> Result<Option<AuditEvent>, DbError> {
        let row: Option<AuditEventRow> = read!(self.db, |conn| audit_events::table
            .filter(audit_events::id.eq(DbId(id.uuid())))
            .select(AuditEventRow::as_select())
            .one(conn)
            .await
            .optional())?;
        row.map(AuditEvent::try_from).transpose()
    }

    /// The events that meet the filter.
    pub fn audit_event_list(&self, filter: AuditEventFilter) -> AuditEventList {
        AuditEventList { db: self.db.clone(), filter }
    }
}

impl AuditEventList {
    /// The dates are what the list is sorted by: a window of them is a part of the list.
    fn within(&self, scan: Scan) -> Scan {
        let at = Position::before_all_at;
        scan.within(self.filter.date.from.map(at), self.filter.date.to.map(at))
    }
}

impl List for AuditEventList {
    type Item = AuditEvent;

    async fn scan(&self, scan: Scan) -> Result<Vec<Row<AuditEvent>>, DbError> {
        let (filter, scan) = (self.filter.clone(), self.within(scan));
        tracing::debug!(limit = scan.limit, "audit_event_list scan");
        let every = filter.is_window();
        let rows: Vec<AuditEventRow> = search!(self.db, |conn| {
            let query = audit_events::table.select(AuditEventRow::as_select()).into_boxed();
            let query = filtered!(timed!(query, every), filter);
            let query = scanned!(query, scan, audit_events::date, audit_events::id);
            query.cached(every).all(conn).await
        })?;
        let row = |row: AuditEventRow| {
            Ok(Row { position: row.position(), value: AuditEvent::try_from(row)? })
        };
        rows.into_iter().map(row).collect()
    }

    async fn count(&self) -> Result<i64, DbError> {
        tracing::debug!("audit_event_list count");
        let (filter, scan) = (self.filter.clone(), self.within(Scan::all()));
        search!(self.db, |conn| {
            let query = audit_events::table.select(count_star()).into_boxed();
            let query = filtered!(timed!(query, false), filter);
            let query = bounded!(query, scan, audit_events::date, audit_events::id);
            Part::number(query).one(conn).await
        })
    }
}
