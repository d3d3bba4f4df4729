//! How all lists are read.

use crate::db::DbError;
use crate::domain::page::{Row, Scan};

/// The rows of a table that meet a filter, in an order.
pub trait List: Sync {
    /// What the list has rows of.
    type Item: Send;

    /// The rows of a part of it, the nearest first.
    ///
    /// # Errors
    /// When the database does not answer.
    fn scan(
        &self,
        scan: Scan,
    ) -> impl Future<Output = Result<Vec<Row<Self::Item>>, DbError>> + Send;

    /// The number of all its rows.
    ///
    /// # Errors
    /// When the database does not answer.
    fn count(&self) -> impl Future<Output = Result<i64, DbError>> + Send;
}

/// Bounds the time of a boxed query, unless it takes every row that it comes to.
macro_rules! timed {
    ($query:expr, $every:expr) => {{
        let query = $query;
        if $every { query } else { query.filter($crate::db::InTime) }
    }};
}

/// Narrows a boxed query to the bounds of a scan over key and id.
macro_rules! bounded {
    ($query:expr, $scan:expr, $($column:expr),+) => {{
        let mut query = $query;
        let columns = ($($column,)+);
        let (above, below) = ($scan.above, $scan.below);
        for (operators, bound) in [([">", ">="], above), (["<", "<="], below)] {
            let (operator, position) = match bound {
                std::ops::Bound::Unbounded => continue,
                std::ops::Bound::Excluded(position) => (operators[0], position),
                std::ops::Bound::Included(position) => (operators[1], position),
            };
            query = query.filter($crate::db::Compared::new(columns, operator, position));
        }
        query
    }};
}

/// Narrows a boxed query to a scan over key and id, in its order.
macro_rules! scanned {
    ($query:expr, $scan:expr, $($column:expr),+) => {{
        let scan = $scan;
        let limit = i64::try_from(scan.limit).unwrap_or(i64::MAX);
        let direction = scan.direction;
        let query = $crate::repository::list::bounded!($query, scan, $($column),+);
        let query = match direction {
            $crate::domain::order::Direction::Ascending => query.order(($($column.asc(),)+)),
            $crate::domain::order::Direction::Descending => query.order(($($column.desc(),)+)),
        };
        $crate::db::Part::first(query, limit)
    }};
}

pub(super) use {bounded, scanned, timed};
