//! Asking what a text contains.

use diesel::expression::Expression;
use diesel::helper_types::{Escape, Like};
use diesel::prelude::*;
use diesel::sql_types::Text;

/// Does a text contain this one? No character is a wildcard.
pub(crate) fn contains<C>(column: C, part: &str) -> Escape<Like<C, String>>
where
    C: TextExpressionMethods + Expression<SqlType = Text>,
{
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for character in part.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    column.like(pattern).escape('\\')
}
