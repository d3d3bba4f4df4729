//! What a reader may ask for.

use super::{DEFAULT_SIZE, End, MAX_SIZE, PageRequest};
use crate::domain::cursor::Position;
use crate::domain::fault::{Field, InputFault};
use crate::domain::order::Sequence;

/// What a reader asks for, unchecked.
#[derive(Debug, Clone, Default)]
pub struct PageArguments {
    /// How many rows from the start.
    pub first: Option<i32>,
    /// The cursor that the page starts after.
    pub after: Option<String>,
    /// How many rows from the end.
    pub last: Option<i32>,
    /// The cursor that the page ends before.
    pub before: Option<String>,
}

impl<O: Copy + Into<Sequence>> PageRequest<O> {
    /// Checks what a reader asks for.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(order: O, asked: &PageArguments) -> Result<Self, Vec<InputFault>> {
        let sequence = order.into();
        let part = part(asked);
        let after = cursor_position(Field::After, asked.after.as_deref(), sequence);
        let before = cursor_position(Field::Before, asked.before.as_deref(), sequence);
        match (part, after, before) {
            (Ok((end, size)), Ok(after), Ok(before)) => {
                Ok(Self { order, end, size, after, before })
            }
            (part, after, before) => {
                Err([part.err(), after.err(), before.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// Which end, and how many rows of it.
fn part(asked: &PageArguments) -> Result<(End, usize), InputFault> {
    match (asked.first, asked.last) {
        (Some(_), Some(_)) => {
            let message = "Give `first` or `last`, not both.";
            Err(InputFault::invalid(Field::Last, "first_and_last", message))
        }
        (Some(first), None) => Ok((End::First, size(Field::First, first)?)),
        (None, Some(last)) => Ok((End::Last, size(Field::Last, last)?)),
        // A reader who goes back from a cursor wants the rows next to it, not the first rows of the
        // list.
        (None, None) if asked.before.is_some() && asked.after.is_none() => {
            let message = "`before` needs `last`: how many rows before the cursor.";
            Err(InputFault::invalid(Field::Before, "last_missing", message))
        }
        (None, None) => Ok((End::First, DEFAULT_SIZE)),
    }
}

fn size(field: Field, asked: i32) -> Result<usize, InputFault> {
    let size = usize::try_from(asked).ok().filter(|size| (1..=MAX_SIZE).contains(size));
    size.ok_or_else(|| {
        let message = format!("A page has from 1 to {MAX_SIZE} rows.");
        InputFault::invalid(field, "page_size", message)
    })
}

/// The place that a cursor of this list leads to.
///
/// # Errors
/// When the text is none.
pub fn cursor_position(
    field: Field,
    cursor: Option<&str>,
    sequence: Sequence,
) -> Result<Option<Position>, InputFault> {
    let Some(cursor) = cursor else { return Ok(None) };
    let position = Position::from_cursor(cursor, sequence);
    position.map(Some).ok_or_else(|| {
        let message = "This is not a cursor of this list in this order.";
        InputFault::invalid(field, "cursor_invalid", message)
    })
}
