//! What remains of a document for weighing its fragments.

use std::collections::BTreeMap;

/// The definitions of a document.
#[derive(Default)]
pub(super) struct Outline<'a> {
    /// All operations as one, since their weights add up.
    pub(super) operations: Body<'a>,
    /// The definitions by fragment name; having several is an error that the engine reports.
    pub(super) fragments: BTreeMap<&'a [u8], Vec<Body<'a>>>,
}

/// The measure of a definition as written, before expansion.
#[derive(Default)]
pub(super) struct Body<'a> {
    /// Fields, spreads and inline fragments.
    pub(super) selections: usize,
    /// The most brackets open at once.
    pub(super) nesting: usize,
    pub(super) spreads: Vec<Spread<'a>>,
}

/// A spread of a named fragment.
pub(super) struct Spread<'a> {
    pub(super) fragment: &'a [u8],
    /// The brackets open around the spread.
    pub(super) nesting: usize,
}

impl<'a> Outline<'a> {
    /// Adds the definition of a fragment.
    pub(super) fn add_fragment(&mut self, name: &'a [u8], body: Body<'a>) {
        self.fragments.entry(name).or_default().push(body);
    }

    /// Adds an operation.
    pub(super) fn add_operation(&mut self, mut body: Body<'a>) {
        let all = &mut self.operations;
        all.selections = all.selections.saturating_add(body.selections);
        all.nesting = all.nesting.max(body.nesting);
        all.spreads.append(&mut body.spreads);
    }
}
