//! Weighs a document as if every fragment were written out wherever it is spread.

use std::collections::BTreeMap;

use super::outline::{Body, Outline};
use super::{DocumentLimits, LimitExceeded};

/// The size of a definition with its fragments expanded.
#[derive(Clone, Copy, Default)]
struct Weight {
    selections: usize,
    nesting: usize,
}

/// How far a fragment is weighed; one not yet come to has no entry.
enum Progress {
    /// The fragments it spreads are being weighed.
    Begun,
    Done(Weight),
}

type Weights<'a> = BTreeMap<&'a [u8], Progress>;

/// A step of the walk over the fragments, which keeps its own stack instead of recursing.
enum Step<'a> {
    /// Weigh whatever the fragment spreads, and then the fragment.
    Begin(&'a [u8]),
    /// Weigh the fragment, now that all it spreads is weighed.
    Finish(&'a [u8], &'a [Body<'a>]),
}

/// Refuses a document that grows beyond the limits when its fragments are expanded.
///
/// Unused fragments are weighed too, because the engine walks them all the same.
pub(super) fn check(outline: &Outline<'_>, limits: &DocumentLimits) -> Result<(), LimitExceeded> {
    let mut weights = Weights::new();
    let mut steps: Vec<_> = outline.fragments.keys().copied().map(Step::Begin).collect();

    while let Some(step) = steps.pop() {
        match step {
            Step::Begin(name) => match (weights.get(name), outline.fragments.get(name)) {
                // The steps left of a begun fragment lie below those of all that it spreads, so
                // meeting it again before it is done means that it spreads itself.
                (Some(Progress::Begun), _) => return Err(LimitExceeded::FragmentCycle),
                (None, Some(bodies)) => {
                    weights.insert(name, Progress::Begun);
                    steps.push(Step::Finish(name, bodies));
                    let spreads = bodies.iter().flat_map(|body| &body.spreads);
                    steps.extend(spreads.map(|spread| Step::Begin(spread.fragment)));
                }
                (Some(Progress::Done(_)), _) | (None, None) => {}
            },
            Step::Finish(name, bodies) => {
                let weight = bodies
                    .iter()
                    .map(|body| Weight::of(body, &weights))
                    .fold(Weight::default(), Weight::heavier);
                weight.check(limits)?;
                weights.insert(name, Progress::Done(weight));
            }
        }
    }
    Weight::of(&outline.operations, &weights).check(limits)
}

impl Weight {
    /// Weighs a body whose fragments are weighed; an unknown fragment adds nothing to its spread.
    fn of(body: &Body<'_>, weights: &Weights<'_>) -> Self {
        let mut total = Self { selections: body.selections, nesting: body.nesting };
        for spread in &body.spreads {
            if let Some(Progress::Done(fragment)) = weights.get(spread.fragment) {
                total.selections = total.selections.saturating_add(fragment.selections);
                total.nesting = total.nesting.max(spread.nesting.saturating_add(fragment.nesting));
            }
        }
        total
    }

    fn heavier(self, other: Self) -> Self {
        Self {
            selections: self.selections.max(other.selections),
            nesting: self.nesting.max(other.nesting),
        }
    }

    fn check(self, limits: &DocumentLimits) -> Result<(), LimitExceeded> {
        if self.nesting > limits.nesting {
            let limit = limits.nesting;
            return Err(LimitExceeded::Nesting { limit });
        }
        if self.selections > limits.expanded_selections {
            let limit = limits.expanded_selections;
            return Err(LimitExceeded::Expansion { limit });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::*;

    fn check_within(expanded_selections: usize, document: &str) -> Result<(), LimitExceeded> {
        let limits = DocumentLimits { expanded_selections, ..DocumentLimits::default() };
        super::super::check(document, &limits).map(drop)
    }

    #[track_caller]
    fn assert_weighs(selections: usize, document: &str) {
        let limit = selections - 1;
        assert_eq!(check_within(selections, document), Ok(()));
        assert_eq!(check_within(limit, document), Err(LimitExceeded::Expansion { limit }));
    }

    #[test]
    fn counts_fields_spreads_and_inline_fragments() {
        assert_weighs(1, "{ a }");
        assert_weighs(1, "{ a: b(c: {d: [e], f: $g}) @h(i: j) }");
        assert_weighs(3, "query Q($a: [B] = {c: d} @e) @f(g: {h: i}) { a { b } c }");
        assert_weighs(3, "{ ... on T { a } ...Unknown }");
        assert_weighs(3, "{ ... { a } ... @b { } }");
    }

    #[test]
    fn adds_up_operations_with_their_fragments() {
        assert_weighs(
            2 * (1 + 3) + 1,
            "query A { ...F } query B { ...F c } fragment F on T { a b { c } }",
        );
    }

    #[test]
    fn recognises_fragments_however_they_are_separated() {
        for document in [
            "{ ... #a\n,\u{feff}F } fragment#b\nF on T { a b }",
            "{ ...F } fragmentF on T { a b }",
            "{ ...F } fragment F on T @c(d: {e: {}}) { a b }",
            "{ ...fragment } fragment fragment on T { a b }",
            "fragment F on T { a b } query fragment { ...F }",
            "{ ...F } \"described\" fragment F on T { a b }",
            "{ ...on } fragment on on T { a b }",
        ] {
            assert_weighs(3, document);
        }
    }

    #[test]
    fn takes_the_heavier_of_two_fragments_with_one_name() {
        assert_weighs(1 + 3, "{ ...F } fragment F on T { a b c } fragment F on T { a }");
    }

    #[test]
    fn weighs_unused_fragments() {
        assert_weighs(2, "{ a } fragment F on T { a b }");
    }

    #[test]
    fn doubling_fragments_are_refused() {
        let mut document = String::from("{ ...F0 } fragment F30 on T { a }");
        for level in 0..30 {
            let next = level + 1;
            write!(document, "fragment F{level} on T {{ ...F{next} ...F{next} }}").unwrap();
        }
        let refusal = check_within(10_000, &document).unwrap_err();
        assert_eq!(refusal, LimitExceeded::Expansion { limit: 10_000 });
        assert!(check_within(usize::MAX, &document).is_ok());
    }

    #[test]
    fn weights_saturate() {
        let mut document = String::from("{ ...F0 }");
        for level in 0..35 {
            let next = format!("...F{} ", level + 1).repeat(14);
            write!(document, "fragment F{level} on T {{ {next} }}").unwrap();
        }
        document.push_str("fragment F35 on T { a }");
        assert_eq!(
            check_within(usize::MAX - 1, &document).unwrap_err().reason(),
            "expansion_limit"
        );
    }

    #[test]
    fn cycles_are_refused() {
        for document in [
            "{ ...A } fragment A on T { a { ...A } }",
            "{ a } fragment A on T { ...A }",
            "fragment A on T { ...B } fragment B on T { ...A }",
            "{ ...C } fragment A on T { ...B } fragment B on T { ...C } fragment C on T { ...A }",
            "{ a } fragment A on T { a } fragment A on T { ...A }",
        ] {
            assert_eq!(check_within(100, document), Err(LimitExceeded::FragmentCycle));
        }
    }

    #[test]
    fn a_fragment_reached_in_two_ways_is_no_cycle() {
        assert_weighs(
            6,
            "{ ...A } fragment A on T { ...B ...C } fragment B on T { ...C } \
             fragment C on T { a }",
        );
    }

    #[test]
    fn nesting_through_fragments_is_bounded() {
        let chain = |levels: usize| {
            let mut document = format!("{{ a {{ ...F0 }} }} fragment F{levels} on T {{ a }}");
            for level in 0..levels {
                write!(document, "fragment F{level} on T {{ ...F{} }}", level + 1).unwrap();
            }
            document
        };
        assert_eq!(check_within(1_000, &chain(37)), Ok(()));
        assert_eq!(check_within(1_000, &chain(38)), Err(LimitExceeded::Nesting { limit: 40 }));
    }

    /// The plain recursive definition that the memoised weights must agree with.
    fn expanded(fragments: &[(usize, Vec<usize>)], index: usize) -> usize {
        let (fields, spreads) = &fragments[index];
        let spread = spreads.iter().map(|&next| 1 + expanded(fragments, next));
        fields + spread.sum::<usize>()
    }

    proptest! {
        #[test]
        fn agrees_with_writing_fragments_out(
            bodies in prop::collection::vec(
                (0_usize..4, prop::collection::vec(any::<prop::sample::Index>(), 0..4)),
                1..9,
            ),
        ) {
            // A fragment spreads only later ones, so there is no cycle.
            let fragments: Vec<_> = bodies.iter().enumerate().map(|(index, (fields, spreads))| {
                let later = bodies.len() - index - 1;
                let spreads = spreads.iter().filter(|_| later > 0);
                (*fields, spreads.map(|spread| index + 1 + spread.index(later)).collect())
            }).collect();
            let mut document = String::from("{ ...F0 }");
            for (index, (fields, spreads)) in fragments.iter().enumerate() {
                write!(document, "fragment F{index} on T {{ {}", "a ".repeat(*fields)).unwrap();
                for spread in spreads {
                    write!(document, "...F{spread} ").unwrap();
                }
                document.push('}');
            }
            // Every fragment is weighed, so one that nothing spreads may be the heaviest.
            let heaviest = (0..fragments.len()).map(|index| expanded(&fragments, index)).max();
            assert_weighs(heaviest.unwrap().max(1 + expanded(&fragments, 0)), &document);
        }
    }
}
