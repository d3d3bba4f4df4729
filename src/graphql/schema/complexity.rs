//! What a page adds to the complexity of a document.

use async_graphql::parser::types::{Field, VariableDefinition};
use async_graphql::{Positioned, VisitorContext};

use crate::domain::page::{DEFAULT_SIZE, MAX_SIZE};

/// The selection counts once for each row that the page may have. The arguments are read here,
/// because the engine's own way refuses a document that leaves a variable out.
pub(super) fn of_page(
    ctx: &VisitorContext<'_>,
    variables: &[Positioned<VariableDefinition>],
    field: &Field,
    selected: usize,
) -> usize {
    let argument = |name| ctx.param_value::<Option<i32>>(variables, field, name, None);
    let asked = ["first", "last"].into_iter().find_map(|name| argument(name).ok().flatten());
    // A size out of range is refused by the field itself.
    let rows = asked.and_then(|size| usize::try_from(size).ok()).unwrap_or(DEFAULT_SIZE);
    selected.saturating_mul(rows.clamp(1, MAX_SIZE)).saturating_add(1)
}
