//! Who may introspect, and how much.

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};

/// Who may see the schema by introspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Introspection {
    /// Everybody.
    Public,
    /// Whoever has a valid token.
    Authenticated,
    /// Nobody.
    Off,
}

/// Lists inside lists that one path may go through. graphql-js has the same bound: a few levels more
/// multiply a short document into an answer of gigabytes, and no limit on depth prevents it.
const MAX_LISTS: usize = 3;
/// Times that one document may ask for the whole schema.
const MAX_SCHEMAS: usize = 2;
/// Times that one document may ask for a type by its name: each may be as long as all the permissions.
const MAX_TYPES: usize = 10;

/// Is the document's introspection small enough? To be called within the limits on nesting and on the
/// expansion of fragments.
pub(super) fn is_bounded(document: &ExecutableDocument) -> bool {
    let mut walk = Walk { document, schemas: 0, types: 0 };
    let bounded = document
        .operations
        .iter()
        .all(|(_, operation)| walk.set(&operation.node.selection_set.node, None));
    bounded && walk.schemas <= MAX_SCHEMAS && walk.types <= MAX_TYPES
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    schemas: usize,
    types: usize,
}

impl Walk<'_> {
    /// `lists`: how many lists are open; `None` outside of introspection.
    fn set(&mut self, set: &SelectionSet, lists: Option<usize>) -> bool {
        set.items.iter().all(|selection| match &selection.node {
            Selection::Field(field) => self.field(&field.node, lists),
            Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node, lists),
            Selection::FragmentSpread(spread) => {
                let document = self.document;
                let fragment = document.fragments.get(&spread.node.fragment_name.node);
                fragment.is_none_or(|fragment| self.set(&fragment.node.selection_set.node, lists))
            }
        })
    }

    fn field(&mut self, field: &Field, lists: Option<usize>) -> bool {
        let lists = match (field.name.node.as_str(), lists) {
            ("__schema", _) => {
                self.schemas += 1;
                Some(0)
            }
            ("__type", _) => {
                self.types += 1;
                Some(0)
            }
            ("fields" | "inputFields" | "interfaces" | "possibleTypes", Some(open)) => {
                Some(open + 1)
            }
            (_, lists) => lists,
        };
        lists.is_none_or(|open| open < MAX_LISTS) && self.set(&field.selection_set.node, lists)
    }
}
