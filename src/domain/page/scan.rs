//! What is read for a page.

use std::ops::Bound;

use crate::domain::cursor::Position;
use crate::domain::order::Direction;

/// Rows to read, the nearest first: those between two places, up to a number.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Ascending or descending.
    pub direction: Direction,
    /// The end with the smaller positions.
    pub above: Bound<Position>,
    /// The end with the larger positions.
    pub below: Bound<Position>,
    /// The most rows to read.
    pub limit: usize,
}

impl Scan {
    /// Everything, to be counted.
    pub const fn all() -> Self {
        Self {
            direction: Direction::Ascending,
            above: Bound::Unbounded,
            below: Bound::Unbounded,
            limit: usize::MAX,
        }
    }

    /// The rows that are at `from` or later and before `to`. There is one bound on each side,
    /// because SQLite searches an index by the first of several bounds, even when another one is
    /// narrower.
    #[must_use]
    pub fn within(mut self, from: Option<Position>, to: Option<Position>) -> Self {
        if let Some(from) = from
            && is_tighter(&self.above, |bound| from > *bound)
        {
            self.above = Bound::Included(from);
        }
        if let Some(to) = to
            && is_tighter(&self.below, |bound| to <= *bound)
        {
            self.below = Bound::Excluded(to);
        }
        self
    }
}

fn is_tighter(bound: &Bound<Position>, than: impl Fn(&Position) -> bool) -> bool {
    match bound {
        Bound::Unbounded => true,
        Bound::Included(position) | Bound::Excluded(position) => than(position),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_narrows_a_scan_and_never_widens_it() {
        let at = |micros| {
            let instant = chrono::DateTime::from_timestamp_micros(micros).unwrap();
            Position::before_all_at(instant)
        };
        let scan = |above, below| Scan { above, below, ..Scan::all() };
        let cases = [
            (Bound::Unbounded, Bound::Included(at(5))),
            (Bound::Excluded(at(4)), Bound::Included(at(5))),
            (Bound::Excluded(at(5)), Bound::Excluded(at(5))),
            (Bound::Included(at(6)), Bound::Included(at(6))),
        ];
        for (above, expected) in cases {
            let narrowed = scan(above, Bound::Unbounded).within(Some(at(5)), None);
            assert_eq!((narrowed.above, narrowed.below), (expected, Bound::Unbounded));
        }
        let cases = [
            (Bound::Unbounded, Bound::Excluded(at(5))),
            (Bound::Included(at(6)), Bound::Excluded(at(5))),
            (Bound::Included(at(5)), Bound::Excluded(at(5))),
            (Bound::Excluded(at(4)), Bound::Excluded(at(4))),
        ];
        for (below, expected) in cases {
            let narrowed = scan(Bound::Unbounded, below).within(None, Some(at(5)));
            assert_eq!((narrowed.above, narrowed.below), (Bound::Unbounded, expected));
        }
    }
}
