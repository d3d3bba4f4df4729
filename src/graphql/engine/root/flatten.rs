//! Writes out the fragments at the root of an operation.

use std::collections::HashSet;

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet, TypeCondition,
};
use async_graphql::{Name, Positioned, Variables};

use crate::graphql::engine::variables::skips;

/// The root fields that are to run, in their order, with the fragments that hold them written out.
pub(super) fn root_fields(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Vec<Positioned<Selection>> {
    let mut flattening = Flattening {
        document,
        variables,
        root: match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        },
        spread: HashSet::new(),
        fields: Vec::new(),
    };
    flattening.add(&operation.selection_set.node);
    flattening.fields
}

struct Flattening<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    /// The name of the root type.
    root: &'static str,
    /// Fragments written out already: once is enough, since their fields would be merged.
    spread: HashSet<&'a Name>,
    fields: Vec<Positioned<Selection>>,
}

impl<'a> Flattening<'a> {
    fn add(&mut self, set: &'a SelectionSet) {
        for selection in &set.items {
            if skips(selection.node.directives(), self.variables) {
                continue;
            }
            match &selection.node {
                Selection::Field(_) => self.fields.push(selection.clone()),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    self.add_if(condition, &inline.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.spread.insert(name)
                    {
                        let condition = Some(&fragment.node.type_condition);
                        self.add_if(condition, &fragment.node.selection_set.node);
                    }
                }
            }
        }
    }

    /// A fragment on another type has nothing to say here.
    fn add_if(&mut self, condition: Option<&Positioned<TypeCondition>>, set: &'a SelectionSet) {
        if condition.is_none_or(|condition| condition.node.on.node.as_str() == self.root) {
            self.add(set);
        }
    }
}
