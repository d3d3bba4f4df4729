//! Merges the fields of a selection set that have the same response key.

use async_graphql::indexmap::IndexMap;
use async_graphql::indexmap::map::Entry;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::{Name, Positioned, ServerError, Variables};

use crate::graphql::engine::document::request_error;
use crate::graphql::engine::variables::skips;

/// What two selections of one set have in common when they are one.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// A field, by its response key.
    Field(Name),
    /// A fragment, by its name.
    Spread(Name),
    /// By its place: inline fragments stay as they are.
    Inline(usize),
}

/// The selections that are to run, each field and fragment where it first appears. A field has what is
/// selected anywhere under its response key. Fragments below the root stay: which of them apply shows
/// only when the object is known, and nothing below the root changes anything.
pub(super) fn selections(
    items: Vec<Positioned<Selection>>,
    variables: &Variables,
) -> Result<Vec<Positioned<Selection>>, ServerError> {
    let mut merged = IndexMap::with_capacity(items.len());
    for (place, item) in items.into_iter().enumerate() {
        if skips(item.node.directives(), variables) {
            continue;
        }
        match merged.entry(key(&item.node, place)) {
            Entry::Vacant(free) => {
                free.insert(item);
            }
            Entry::Occupied(mut taken) => {
                // Another spread of the same fragment adds nothing.
                if let (Selection::Field(first), Selection::Field(next)) =
                    (&mut taken.get_mut().node, item.node)
                {
                    add(first, next)?;
                }
            }
        }
    }
    let below = |mut item: Positioned<Selection>| {
        if let Selection::Field(field) = &mut item.node {
            let items = &mut field.node.selection_set.node.items;
            *items = selections(std::mem::take(items), variables)?;
        }
        Ok(item)
    };
    merged.into_values().map(below).collect()
}

fn key(selection: &Selection, place: usize) -> Key {
    match selection {
        Selection::Field(field) => Key::Field(field.node.response_key().node.clone()),
        Selection::FragmentSpread(spread) => Key::Spread(spread.node.fragment_name.node.clone()),
        Selection::InlineFragment(_) => Key::Inline(place),
    }
}

/// Adds what `next` selects to `first`. Validation takes a list for the same as another one that starts
/// alike, so that two fields may still contradict each other here.
fn add(first: &mut Positioned<Field>, next: Positioned<Field>) -> Result<(), ServerError> {
    if !same(&first.node, &next.node) {
        let key = &next.node.response_key().node;
        let message = format!(
            "Fields \"{key}\" conflict because they are different fields or have differing \
             arguments. Use different aliases to fetch both."
        );
        let places = vec![first.pos, next.pos];
        return Err(request_error(message, "validation", places));
    }
    let items = &mut first.node.selection_set.node.items;
    items.extend(next.node.selection_set.node.items);
    Ok(())
}

/// Do both ask for the same value?
fn same(first: &Field, next: &Field) -> bool {
    let mut arguments = first.arguments.iter();
    first.name == next.name
        && first.arguments.len() == next.arguments.len()
        && arguments.all(|(name, value)| next.get_argument(&name.node) == Some(value))
}
