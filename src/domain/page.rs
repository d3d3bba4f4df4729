//! Pages of a list. A page starts after a row, not after a number of rows, so it costs the same at
//! any depth. A reader who walks the list meets each remaining row once, even when rows are added
//! or deleted meanwhile.

mod check;
mod scan;

use std::ops::Bound;

use super::cursor::Position;
use super::order::{Direction, Sequence};

pub use check::{PageArguments, cursor_position};
pub use scan::Scan;

/// Rows of a page where the reader does not say.
pub const DEFAULT_SIZE: usize = 20;
/// Rows of the largest page.
pub const MAX_SIZE: usize = 100;

/// Which end of the range between the cursors the page is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    First,
    Last,
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct PageRequest<O> {
    order: O,
    end: End,
    size: usize,
    after: Option<Position>,
    before: Option<Position>,
}

/// A row and its place in the list.
#[derive(Debug, Clone)]
pub struct Row<T> {
    /// Where the row is in its list.
    pub position: Position,
    /// The row itself.
    pub value: T,
}

/// The rows of a page, in the order of the list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The list in its order, which the cursors of the rows belong to.
    pub sequence: Sequence,
    /// The rows, in the order of the list.
    pub rows: Vec<Row<T>>,
    /// Whether the list has rows before these.
    pub has_previous: bool,
    /// Whether the list has rows after these.
    pub has_next: bool,
}

impl<O: Copy + Into<Sequence>> PageRequest<O> {
    /// The order of the list.
    pub const fn order(&self) -> O {
        self.order
    }

    fn direction(&self) -> Direction {
        self.order.into().direction()
    }

    /// What to read for the page: one row more than its size, which shows whether there are more.
    pub fn scan(&self) -> Scan {
        let bound = |position: &Option<Position>| {
            position.clone().map_or(Bound::Unbounded, Bound::Excluded)
        };
        let (above, below) = self.in_order(bound(&self.after), bound(&self.before));
        let direction = match self.end {
            End::First => self.direction(),
            End::Last => reversed(self.direction()),
        };
        Scan { direction, above, below, limit: self.size + 1 }
    }

    /// The row before the range that the cursors bound, if one bounds it there.
    pub fn scan_before(&self) -> Option<Scan> {
        let end = Bound::Included(self.after.clone()?);
        let (above, below) = self.in_order(Bound::Unbounded, end);
        let direction = reversed(self.direction());
        Some(Scan { direction, above, below, limit: 1 })
    }

    /// The row after the range that the cursors bound, if one bounds it there.
    pub fn scan_after(&self) -> Option<Scan> {
        let start = Bound::Included(self.before.clone()?);
        let (above, below) = self.in_order(start, Bound::Unbounded);
        Some(Scan { direction: self.direction(), above, below, limit: 1 })
    }

    /// The page that was read, not looking beyond the cursors.
    pub fn page<T>(&self, mut rows: Vec<Row<T>>) -> Page<T> {
        let is_more = rows.len() > self.size;
        rows.truncate(self.size);
        if self.end == End::Last {
            rows.reverse();
        }
        let (has_previous, has_next) = match self.end {
            End::First => (false, is_more),
            End::Last => (is_more, false),
        };
        Page { sequence: self.order.into(), rows, has_previous, has_next }
    }

    /// Start and end of a range of the list as its lower and its upper bound.
    fn in_order<T>(&self, start: T, end: T) -> (T, T) {
        match self.direction() {
            Direction::Ascending => (start, end),
            Direction::Descending => (end, start),
        }
    }
}

const fn reversed(direction: Direction) -> Direction {
    match direction {
        Direction::Ascending => Direction::Descending,
        Direction::Descending => Direction::Ascending,
    }
}
