//! A bound on the time of a search.
//!
//! SQLite has a progress handler for this, but diesel 2.3 does not offer it (2.4 will, as
//! `on_progress`). Until then each search calls a function of our own for every row, which fails
//! once the time is over; an error of a function ends the statement.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::serialize::{IsNull, Output, Result as Serialized, ToSql};
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, SqliteConnection};

/// Rows between two looks at the clock.
pub(super) const ROWS: u32 = 256;

/// The time of the search that a connection runs.
#[derive(Debug, Clone, Default)]
pub(super) struct SearchLimit(Arc<Mutex<Time>>);

#[derive(Debug, Clone, Copy, Default)]
struct Time {
    end: Option<Instant>,
    is_over: bool,
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// True as long as the search has time, else an error.
    fn search_goes_on() -> Bool;
}

/// What the function answers.
#[derive(Debug)]
struct GoesOn(bool);

impl SearchLimit {
    /// Makes the function known to a connection. It looks at the clock once in so many rows.
    pub(super) fn on(connection: &SqliteConnection, every: u32) -> QueryResult<Self> {
        let limit = Self::default();
        let (asked, mut rows) = (limit.clone(), 0);
        search_goes_on_utils::register_nondeterministic_impl(connection, move || {
            rows += 1;
            if rows < every {
                return GoesOn(true);
            }
            rows = 0;
            GoesOn(asked.goes_on())
        })?;
        Ok(limit)
    }

    /// Starts the time of a search.
    pub(super) fn begin(&self, time: Duration) {
        *self.time() = Time { end: Instant::now().checked_add(time), is_over: false };
    }

    /// Was the search ended because its time was over?
    pub(super) fn is_over(&self) -> bool {
        self.time().is_over
    }

    fn goes_on(&self) -> bool {
        let mut time = self.time();
        time.is_over = time.end.is_some_and(|end| Instant::now() >= end);
        !time.is_over
    }

    /// A panic cannot leave it half changed.
    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ToSql<Bool, Sqlite> for GoesOn {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> Serialized {
        if !self.0 {
            return Err("the time of the search is over".into());
        }
        out.set_value(1);
        Ok(IsNull::No)
    }
}
