//! From the text of a document to its operations, ready to run, or to the reasons for refusing it.
//!
//! The text is parsed once. What is measured, validated and lowered is that one tree.

mod cache;
mod measure;
mod source;
mod validation;

use std::collections::HashSet;
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::{self, Definition, OperationType};
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::{Parser, SourceSpan};
use apollo_compiler::validation::Valid;
use async_graphql::Pos;

pub use self::cache::Documents;
use self::measure::Refusal;
use self::source::Source;
use self::validation::Validator;
use super::limits::MAX_RECURSION;
use super::lines::Lines;
use super::operation::Operation;
use super::request_error::RequestError;

/// A valid document within the limits.
pub struct Document {
    operations: Vec<Arc<Operation>>,
    /// Where its first subscription is.
    subscription: Option<Pos>,
    /// An estimate of the bytes that it occupies.
    bytes: u64,
}

/// What a document comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Requests, each with one answer: no subscriptions.
    Requests,
    /// A socket.
    Socket,
}

impl Transport {
    /// Refuses the document whose first subscription is here, where it comes by requests.
    fn carries(self, subscription: Option<Pos>) -> Result<(), RequestError> {
        match (self, subscription) {
            (Self::Requests, Some(place)) => Err(RequestError::Subscription(Some(place))),
            _ => Ok(()),
        }
    }
}

/// The most memory that one token of a document takes: it may be a field by itself. A selection of
/// an operation that is ready to run takes as much.
const BYTES_A_TOKEN: usize = 300;

impl Document {
    /// Reads a document and judges it.
    fn read(
        text: &str,
        transport: Transport,
        validator: &Validator,
    ) -> Result<Self, Vec<RequestError>> {
        let source = Source::read(text).map_err(|error| vec![error])?;
        let lines = Lines::new(text);
        let (valid, subscription) = Self::judge(&source, &lines, transport, validator)?;
        let lines = Arc::new(lines);
        let schema = validator.schema();
        let operations: Vec<_> = Operation::all(schema, &Arc::new(valid), &lines);
        let selections: usize = operations.iter().map(|operation| operation.size()).sum();
        // The text itself, the key of the cache, and the places of its characters.
        let bytes = text.len() * 6 + (source.tokens + selections) * BYTES_A_TOKEN;
        Ok(Self {
            operations: operations.into_iter().map(Arc::new).collect(),
            subscription,
            bytes: bytes.try_into().unwrap_or(u64::MAX),
        })
    }

    fn judge(
        source: &Source,
        lines: &Lines,
        transport: Transport,
        validator: &Validator,
    ) -> Result<(Valid<ExecutableDocument>, Option<Pos>), Vec<RequestError>> {
        let one = |error| vec![error];
        let mut parser = Parser::new().recursion_limit(MAX_RECURSION);
        let tree = parser.parse_ast(source.text.as_str(), "document").map_err(|invalid| {
            let first = invalid.errors.iter().next().and_then(|error| error.error.location());
            one(RequestError::Syntax(lines.pos(first.map_or(0, |span| span.offset()))))
        })?;
        measure::check(&tree, source).map_err(|refusal| match refusal {
            Refusal::Error(error) => one(error),
            Refusal::Syntax(offset) => one(RequestError::Syntax(lines.pos(offset))),
        })?;
        let subscription = check_definitions(&tree, lines).map_err(one)?;
        transport.carries(subscription).map_err(one)?;
        Ok((validator.check(tree, lines)?, subscription))
    }

    /// The operation that is asked for.
    pub(super) fn operation(&self, name: Option<&str>) -> Result<&Arc<Operation>, RequestError> {
        match (name, self.operations.as_slice()) {
            (Some(name), operations) => operations
                .iter()
                .find(|operation| operation.name() == Some(name))
                .ok_or(RequestError::OperationUnknown),
            (None, [operation]) => Ok(operation),
            (None, _) => Err(RequestError::OperationNameMissing),
        }
    }
}

/// Refuses everything but operations and fragments with unique names, and an unnamed operation with
/// another one beside it. Returns where the first subscription is.
fn check_definitions(tree: &ast::Document, lines: &Lines) -> Result<Option<Pos>, RequestError> {
    let (mut operations, mut fragments) = (HashSet::new(), HashSet::new());
    let (mut count, mut subscription) = (0, None);
    for definition in &tree.definitions {
        let is_new = match definition {
            Definition::FragmentDefinition(fragment) => fragments.insert(&fragment.name),
            Definition::OperationDefinition(operation) => {
                if operation.operation_type == OperationType::Subscription {
                    let place = place(operation.location(), lines);
                    subscription = subscription.or(place).or(Some(START));
                }
                count += 1;
                operations.insert(&operation.name)
            }
            _ => {
                let place = place(definition.location(), lines);
                return Err(RequestError::Syntax(place.unwrap_or(START)));
            }
        };
        if !is_new || (count > 1 && operations.contains(&None)) {
            return Err(RequestError::NotWellFormed(place(definition.location(), lines)));
        }
    }
    if count == 0 { Err(RequestError::NoOperation) } else { Ok(subscription) }
}

/// The start of a document.
const START: Pos = Pos { line: 1, column: 1 };

/// Where something starts.
fn place(span: Option<SourceSpan>, lines: &Lines) -> Option<Pos> {
    span.map(|span| lines.pos(span.offset()))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::graphql::engine::limits::Limit;

    static DOCUMENTS: LazyLock<Documents> =
        LazyLock::new(|| Documents::new(include_str!("../../../schema.graphql")));

    fn first_error(text: &str) -> Option<RequestError> {
        DOCUMENTS.read(text, Transport::Requests).err()?.into_iter().next()
    }

    fn limit_of(text: &str) -> Option<Limit> {
        match first_error(text)? {
            RequestError::Limit(limit) => Some(limit),
            _ => None,
        }
    }

    #[test]
    fn every_count_has_its_limit() {
        type Case<'a> = (&'a dyn Fn(usize) -> String, usize, Limit);
        let cases: [Case<'_>; 10] = [
            (&|n| format!("{{{}}}", " a".repeat(n - 2)), 5_000, Limit::Tokens),
            (&|n| format!("{{ a({}) }}", "b: 1 ".repeat(n)), 100, Limit::Entries),
            (&|n| format!("{{ a(b: {{{}}}) }}", "c: 1 ".repeat(n)), 100, Limit::Entries),
            (&|n| "fragment A on T { a }".repeat(n), 100, Limit::Fragments),
            (&|n| format!("{{{}}}", "...A ".repeat(n)), 500, Limit::Spreads),
            (&|n| format!("{{{}}}", " a @b".repeat(n)), 100, Limit::Directives),
            (&|n| format!("{{ a{} }}", " @b".repeat(n)), 5, Limit::FieldDirectives),
            (&|n| format!("mutation {{{}}}", " a".repeat(n)), 50, Limit::MutationFields),
            (&|n| format!("{{{}}}", " a: b".repeat(n)), 30, Limit::Aliases),
            (&|n| "{ a ".repeat(n) + &"}".repeat(n), 15, Limit::Depth),
        ];
        for (document, most, limit) in &cases {
            assert_ne!(limit_of(&document(*most)), Some(*limit));
            assert_eq!(limit_of(&document(most + 1)), Some(*limit));
        }
    }

    #[test]
    fn brackets_of_every_kind_count_together() {
        for (open, close) in [("{", "}"), ("[", "]"), ("(", ")"), ("{a(b:[", "])}")] {
            let text = open.repeat(3_000) + &close.repeat(3_000);
            assert_eq!(limit_of(&text), Some(Limit::Nesting));
        }
        let brackets = "{[(".repeat(100);
        for (before, after) in [("\"", "\""), ("\"\"\"", "\"\"\""), ("1 #", "\n")] {
            let text = format!("{{ a(b: {before}{brackets}{after}) }}");
            assert_eq!(limit_of(&text), None, "brackets in strings and comments");
        }
    }

    #[test]
    fn fragments_count_wherever_they_are_spread() {
        let mut doubling = String::from("{ ...F0 } fragment F30 on Query { __typename }");
        for level in 0..30 {
            let next = level + 1;
            write!(doubling, "fragment F{level} on Query {{ ...F{next} ...F{next} }}").unwrap();
        }
        assert_eq!(limit_of(&doubling), Some(Limit::Selections));
        let aliases = "{ ...F ... { ...F } } fragment F on Query {".to_owned();
        let of = |n: usize| format!("{aliases}{}}}", " a: b".repeat(n));
        assert_ne!(limit_of(&of(15)), Some(Limit::Aliases));
        assert_eq!(limit_of(&of(16)), Some(Limit::Aliases));
        let chain = |levels: usize| {
            let mut text = format!("{{ a {{ ...F0 }} }} fragment F{levels} on T {{ a }}");
            for level in 0..levels {
                write!(text, "fragment F{level} on T {{ ...F{} }}", level + 1).unwrap();
            }
            text
        };
        assert_ne!(limit_of(&chain(37)), Some(Limit::Nesting));
        assert_eq!(limit_of(&chain(38)), Some(Limit::Nesting));
        let lists = "{ __type(name: \"A\") { ...F } } \
                     fragment F on __Type { fields { type { ...G } } } \
                     fragment G on __Type { fields { type { ...H } } } fragment H on __Type";
        assert_eq!(limit_of(&format!("{lists} {{ name }}")), None);
        let deeper = format!("{lists} {{ interfaces {{ name }} }}");
        assert_eq!(limit_of(&deeper), Some(Limit::Introspection));
    }

    #[test]
    fn cycles_are_refused() {
        for text in [
            "{ ...A } fragment A on T { a { ...A } }",
            "{ a } fragment A on T { ...A }",
            "fragment A on T { ...B } fragment B on T { ...A }",
            "{ a } fragment A on T { a } fragment A on T { ...A }",
        ] {
            assert_eq!(first_error(text), Some(RequestError::FragmentCycle), "{text}");
        }
    }

    #[test]
    fn what_the_parser_leaves_out_is_a_syntax_error() {
        for (text, column) in [
            ("{ apiTokens(first) { totalCount } }", 3),
            ("{ apiTokens(first 1) { totalCount } }", 19),
            ("{ __typename apiTokens(filter: { nameContains }) { totalCount } }", 14),
            ("{ __typename @include(if) }", 3),
            ("{ currentUser { } }", 3),
        ] {
            let place = Pos { line: 1, column };
            assert_eq!(first_error(text), Some(RequestError::Syntax(place)), "{text}");
        }
    }

    #[test]
    fn ignored_tokens_stand_anywhere() {
        for text in [
            "{ a, : __typename }",
            "{ ..., F } fragment, F, on, Query { __typename }",
            "query ($s: [, ApiTokenStatus ! , ]) \
             { apiTokens(filter: { status: $s }) { totalCount } }",
            "{ ... on # comment\nQuery { __typename } }",
            "\u{feff}\"described\", query Q { __typename }",
        ] {
            assert_eq!(first_error(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            let _verdict = DOCUMENTS.read(&text, Transport::Socket);
        }

        #[test]
        fn text_made_of_tokens_never_panics(
            text in concat!(
                r#"([{}()\[\]:@#"\\,\n$!=&|]|\.\.\.|"""|\\u|"#,
                r"fragment|query|on|node|[AB]| |-?[0-9.e]+|é){0,200}",
            ),
        ) {
            let _verdict = DOCUMENTS.read(&text, Transport::Requests);
        }
    }
}
