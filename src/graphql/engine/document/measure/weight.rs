//! The weight of a document: what it contains once every fragment is written out where it is
//! spread.

use std::collections::BTreeMap;

use apollo_compiler::ast::Field;

use crate::graphql::engine::limits::{
    Limit, MAX_ALIASES, MAX_DEPTH, MAX_INTROSPECTED_LISTS, MAX_MUTATION_FIELDS, MAX_NESTING,
    MAX_SCHEMAS, MAX_SELECTIONS, MAX_TYPES,
};
use crate::graphql::engine::request_error::RequestError;

/// A definition as written.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub(super) weight: Weight,
    pub(super) spreads: Vec<Spread<'a>>,
}

/// A spread of a named fragment, and where it is.
pub(super) struct Spread<'a> {
    pub(super) fragment: &'a str,
    pub(super) place: Place,
}

/// What is open around a selection, counted from the start of its definition.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// Brackets.
    pub(super) nesting: usize,
    /// Fields.
    depth: usize,
    /// Introspected lists.
    lists: usize,
    /// Is it inside `__schema` or `__type` of this definition? A fragment may be spread in such a
    /// field as well.
    introspected: bool,
}

impl Place {
    /// One bracket further in.
    pub(super) const fn inside(self) -> Self {
        Self { nesting: self.nesting + 1, ..self }
    }
}

/// What is counted in a definition.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weight {
    /// Fields, spreads and inline fragments.
    pub(super) selections: usize,
    nesting: usize,
    depth: usize,
    aliases: usize,
    /// Fields that are in no other field.
    root_fields: usize,
    schemas: usize,
    types: usize,
    /// Introspected lists inside each other, below `__schema` or `__type`.
    lists: usize,
    /// The same outside of the two: they count where the definition is spread below them.
    lists_if_introspected: usize,
}

impl Weight {
    pub(super) fn reach_nesting(&mut self, nesting: usize) {
        self.nesting = self.nesting.max(nesting);
    }

    /// Counts a field, and returns the place of its selections.
    pub(super) fn enter_field(&mut self, field: &Field, at: Place) -> Place {
        self.aliases += usize::from(field.alias.is_some());
        self.root_fields += usize::from(at.depth == 0);
        let mut below = Place { depth: at.depth + 1, ..at };
        match field.name.as_str() {
            "__schema" | "__type" => {
                let count =
                    if field.name == "__schema" { &mut self.schemas } else { &mut self.types };
                *count += 1;
                (below.lists, below.introspected) = (0, true);
            }
            "fields" | "inputFields" | "interfaces" | "possibleTypes" => below.lists += 1,
            _ => {}
        }
        self.depth = self.depth.max(below.depth);
        let lists =
            if below.introspected { &mut self.lists } else { &mut self.lists_if_introspected };
        *lists = below.lists.max(*lists);
        below
    }

    /// Adds a fragment that is spread in this place.
    fn add(&mut self, at: Place, fragment: &Self) {
        let sum = |own: &mut usize, more: usize| *own = own.saturating_add(more);
        sum(&mut self.selections, fragment.selections);
        sum(&mut self.aliases, fragment.aliases);
        sum(&mut self.schemas, fragment.schemas);
        sum(&mut self.types, fragment.types);
        if at.depth == 0 {
            sum(&mut self.root_fields, fragment.root_fields);
        }
        self.nesting = self.nesting.max(at.nesting + fragment.nesting);
        self.depth = self.depth.max(at.depth + fragment.depth);
        self.lists = self.lists.max(fragment.lists);
        let lists = if at.introspected { &mut self.lists } else { &mut self.lists_if_introspected };
        *lists = (at.lists + fragment.lists_if_introspected).max(*lists);
    }

    /// The weight of a body whose fragments are weighed; an unknown fragment adds nothing to its
    /// spread.
    fn of(body: &Body<'_>, weights: &Weights<'_>) -> Self {
        let mut total = body.weight;
        for spread in &body.spreads {
            if let Some(Progress::Done(fragment)) = weights.get(spread.fragment) {
                total.add(spread.place, fragment);
            }
        }
        total
    }

    /// The limits that hold for fragments as well, which validation walks even if nothing spreads
    /// them.
    fn check(&self) -> Result<(), Limit> {
        let bounds = [
            (self.nesting, MAX_NESTING, Limit::Nesting),
            (self.selections, MAX_SELECTIONS, Limit::Selections),
        ];
        within(&bounds)
    }
}

/// How far a fragment is weighed; one that was not reached yet has no entry.
enum Progress {
    /// The fragments that it spreads are being weighed.
    Started,
    Done(Weight),
}

type Weights<'a> = BTreeMap<&'a str, Progress>;

/// A step of the walk over the fragments, which keeps its own stack instead of recursing.
enum Step<'a> {
    /// Weigh all that the fragment spreads, and then the fragment.
    Start(&'a str),
    /// Weigh the fragment, after all that it spreads.
    Finish(&'a str),
}

/// Refuses a document that grows beyond the limits once its fragments are expanded. Operations come
/// with whether they are mutations.
pub(super) fn check(
    operations: &[(bool, Body<'_>)],
    fragments: Vec<(&str, Body<'_>)>,
) -> Result<(), RequestError> {
    let weights = weigh(fragments)?;
    let mut all = Weight::default();
    for (is_mutation, body) in operations {
        let weight = Weight::of(body, &weights);
        let root_fields = if *is_mutation { weight.root_fields } else { 0 };
        let bounds = [
            (weight.depth, MAX_DEPTH, Limit::Depth),
            (weight.aliases, MAX_ALIASES, Limit::Aliases),
            (root_fields, MAX_MUTATION_FIELDS, Limit::MutationFields),
        ];
        // The total of all operations comes first: it bounds the work of reading the document.
        all.add(Place::default(), &weight);
        all.check().map_err(RequestError::Limit)?;
        within(&bounds).map_err(RequestError::Limit)?;
    }
    let bounds = [
        (all.lists, MAX_INTROSPECTED_LISTS, Limit::Introspection),
        (all.schemas, MAX_SCHEMAS, Limit::Introspection),
        (all.types, MAX_TYPES, Limit::Introspection),
    ];
    within(&bounds).map_err(RequestError::Limit)
}

fn within(bounds: &[(usize, usize, Limit)]) -> Result<(), Limit> {
    match bounds.iter().find(|(weight, most, _)| weight > most) {
        Some((_, _, limit)) => Err(*limit),
        None => Ok(()),
    }
}

/// The weight of each fragment. Where several have one name, which validation refuses, all spreads
/// of the name count to each of them.
fn weigh<'a>(fragments: Vec<(&'a str, Body<'a>)>) -> Result<Weights<'a>, RequestError> {
    let mut bodies: BTreeMap<&str, Vec<Body<'_>>> = BTreeMap::new();
    for (name, body) in fragments {
        bodies.entry(name).or_default().push(body);
    }
    let mut weights = Weights::new();
    let mut steps: Vec<Step<'_>> = bodies.keys().copied().map(Step::Start).collect();
    while let Some(step) = steps.pop() {
        match step {
            Step::Start(name) => match (weights.get(name), bodies.get(name)) {
                // The steps left of a started fragment lie below those of all that it spreads, so
                // meeting it again before it is done means that it spreads itself.
                (Some(Progress::Started), _) => return Err(RequestError::FragmentCycle),
                (None, Some(bodies)) => {
                    weights.insert(name, Progress::Started);
                    steps.push(Step::Finish(name));
                    let spreads = bodies.iter().flat_map(|body| &body.spreads);
                    steps.extend(spreads.map(|spread| Step::Start(spread.fragment)));
                }
                (Some(Progress::Done(_)), _) | (None, None) => {}
            },
            Step::Finish(name) => {
                let mut all = Weight::default();
                for body in bodies.get(name).into_iter().flatten() {
                    all.add(Place::default(), &Weight::of(body, &weights));
                }
                all.check().map_err(RequestError::Limit)?;
                weights.insert(name, Progress::Done(all));
            }
        }
    }
    Ok(weights)
}
