//! Bounds on a GraphQL document, checked before the engine sees it.
//!
//! The engine parses, validates and executes by recursion, and some of its walks expand every
//! fragment at every spread. A short hostile document can therefore exhaust the stack or run for
//! an exponential time. [`check`] reads the text once, keeps only an outline of it, and refuses
//! whatever could grow beyond the limits.
//!
//! It is no parser: a document with a syntax error passes as long as it stays small, and the
//! engine reports the error with its place.

mod allowance;
mod expansion;
mod lexer;
mod outline;
mod reader;

use std::error::Error;
use std::fmt;

/// What a document may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentLimits {
    /// Brackets of every kind open at once, also when fragments are expanded.
    pub nesting: usize,
    /// Names, values and punctuators.
    pub tokens: usize,
    /// Arguments, input fields or variables in one pair of brackets.
    pub entries: usize,
    /// Fragment definitions.
    pub fragments: usize,
    /// Spreads of named fragments.
    pub spreads: usize,
    /// Directives applied anywhere in the document.
    pub directives: usize,
    /// Fields, spreads and inline fragments of all operations once every fragment is expanded.
    pub expanded_selections: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            nesting: 40,
            tokens: 5_000,
            entries: 100,
            fragments: 100,
            spreads: 500,
            directives: 100,
            expanded_selections: 10_000,
        }
    }
}

/// Why a document is refused; never carries any of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitExceeded {
    /// Brackets nest too deeply, as written or through fragments.
    Nesting { limit: usize },
    /// The document has too many tokens.
    Tokens { limit: usize },
    /// A pair of brackets has too many arguments, input fields or variables.
    Entries { limit: usize },
    /// The document defines too many fragments.
    Fragments { limit: usize },
    /// The document spreads fragments too often.
    Spreads { limit: usize },
    /// The document applies too many directives.
    Directives { limit: usize },
    /// The document selects too much once its fragments are expanded.
    Expansion { limit: usize },
    /// A fragment spreads itself, directly or through others.
    FragmentCycle,
}

impl LimitExceeded {
    /// The reason for programs; stable.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Nesting { .. } => "nesting_limit",
            Self::Tokens { .. } => "token_limit",
            Self::Entries { .. } => "entry_limit",
            Self::Fragments { .. } => "fragment_limit",
            Self::Spreads { .. } => "spread_limit",
            Self::Directives { .. } => "directive_limit",
            Self::Expansion { .. } => "expansion_limit",
            Self::FragmentCycle => "fragment_cycle",
        }
    }
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nesting { limit } => write!(
                f,
                "The document nests too deeply: at most {limit} levels of brackets are allowed, \
                 counting those inside the fragments it spreads."
            ),
            Self::Tokens { limit } => {
                write!(f, "The document is too long: at most {limit} tokens are allowed.")
            }
            Self::Entries { limit } => write!(
                f,
                "The document has too much in one pair of brackets: at most {limit} arguments, \
                 input fields or variables are allowed."
            ),
            Self::Fragments { limit } => {
                write!(f, "The document defines too many fragments: at most {limit} are allowed.")
            }
            Self::Spreads { limit } => write!(
                f,
                "The document spreads fragments too often: at most {limit} spreads are allowed."
            ),
            Self::Directives { limit } => {
                write!(f, "The document has too many directives: at most {limit} are allowed.")
            }
            Self::Expansion { limit } => write!(
                f,
                "The document selects too much: at most {limit} selections are allowed once its \
                 fragments are expanded."
            ),
            Self::FragmentCycle => f.write_str(
                "The document has a fragment that spreads itself, directly or through other \
                 fragments.",
            ),
        }
    }
}

impl Error for LimitExceeded {}

/// Checks that the engine can safely take in the document; the number of its tokens.
///
/// # Errors
///
/// Returns the first limit that the document is found to exceed.
pub fn check(document: &str, limits: &DocumentLimits) -> Result<usize, LimitExceeded> {
    let (outline, tokens) = reader::read(document, limits)?;
    expansion::check(&outline, limits)?;
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_default(document: &str) -> Result<(), LimitExceeded> {
        check(document, &DocumentLimits::default()).map(drop)
    }

    fn introspection(of_type_levels: usize) -> String {
        let of_type = "ofType { kind name ".repeat(of_type_levels) + &"}".repeat(of_type_levels);
        format!(
            r"query IntrospectionQuery {{
                __schema {{
                    description
                    queryType {{ name kind }}
                    mutationType {{ name kind }}
                    subscriptionType {{ name kind }}
                    types {{ ...FullType }}
                    directives {{
                        name description isRepeatable locations
                        args(includeDeprecated: true) {{ ...InputValue }}
                    }}
                }}
            }}
            fragment FullType on __Type {{
                kind name description specifiedByURL isOneOf
                fields(includeDeprecated: true) {{
                    name description
                    args(includeDeprecated: true) {{ ...InputValue }}
                    type {{ ...TypeRef }}
                    isDeprecated deprecationReason
                }}
                inputFields(includeDeprecated: true) {{ ...InputValue }}
                interfaces {{ ...TypeRef }}
                enumValues(includeDeprecated: true) {{
                    name description isDeprecated deprecationReason
                }}
                possibleTypes {{ ...TypeRef }}
            }}
            fragment InputValue on __InputValue {{
                name description type {{ ...TypeRef }} defaultValue
                isDeprecated deprecationReason
            }}
            fragment TypeRef on __Type {{ kind name {of_type} }}"
        )
    }

    #[test]
    fn introspection_passes() {
        for levels in [7, 9, 15] {
            assert_eq!(check_default(&introspection(levels)), Ok(()));
        }
    }

    #[test]
    fn deep_brackets_of_each_kind_are_refused() {
        for (open, close) in [("{", "}"), ("[", "]"), ("(", ")"), ("{a(b:[", "])}")] {
            let document = open.repeat(3000) + &close.repeat(3000);
            let refusal = check_default(&document).unwrap_err();
            assert_eq!(refusal, LimitExceeded::Nesting { limit: 40 });
        }
    }

    #[test]
    fn kinds_of_brackets_count_together() {
        let limits = DocumentLimits { nesting: 4, ..DocumentLimits::default() };
        assert_eq!(check("{ a(b: [{c: 1}]) }", &limits), Ok(14));
        assert!(check("{ a(b: [{c: []}]) }", &limits).is_err());
        assert!(check("{ a { b(c: [{d: 1}]) } }", &limits).is_err());
    }

    #[test]
    fn mismatched_brackets_do_no_harm() {
        for document in ["}", "}}){", ")(", "{a(b:1}", "]]]]{a}", "{a}}}{b}"] {
            assert_eq!(check_default(document), Ok(()));
        }
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let brackets = "{[(".repeat(100);
        let documents = [
            format!(r#"{{ a(b: "{brackets}") }}"#),
            format!(r#"{{ a(b: "\"{brackets}\\") }}"#),
            format!(r#"{{ a(b: """ "" \""" {brackets} \""" """) }}"#),
            format!("{{ a # \" {brackets}\n b }}"),
            format!("{{ a # \"\"\" {brackets}\r b }}"),
            format!("\u{feff}{{ a }} # {brackets}"),
        ];
        for document in documents {
            assert_eq!(check_default(&document), Ok(()), "{document}");
        }
    }

    #[test]
    fn brackets_after_strings_and_comments_count() {
        let brackets = "{".repeat(100);
        for lead in [r#""""#, r#""\\""#, r#""""\"""""""#, "# \"\n", "\"\"\" \"\"\" "] {
            assert!(check_default(&format!("{lead}{brackets}")).is_err(), "{lead}");
        }
    }

    #[test]
    fn every_count_has_its_limit() {
        let limits = DocumentLimits::default();
        let cases = [
            (format!("{{{}}}", " a".repeat(4_999)), "token_limit"),
            (format!("{{ a({}) }}", "b: 1 ".repeat(101)), "entry_limit"),
            (format!("{{ a(b: [{{{}}}]) }}", "c: 1 ".repeat(101)), "entry_limit"),
            ("fragment A on T { a }".repeat(101), "fragment_limit"),
            (format!("{{{}}}", "...A ".repeat(501)), "spread_limit"),
            (format!("{{ a{} }}", " @b".repeat(101)), "directive_limit"),
        ];
        for (document, reason) in cases {
            assert_eq!(check(&document, &limits).unwrap_err().reason(), reason);
        }
        let cases = [
            format!("{{{}}}", " a".repeat(4_998)),
            format!("{{{}}}", "a: b ".repeat(1_000)),
            format!(
                "{{ a({} b: [{{{}}}]) c(d: 1) }}",
                "b: 1 ".repeat(99),
                "c: {d: 1} ".repeat(100)
            ),
            "fragment A on T { a }".repeat(100),
            format!("{{{}}}", "...A ".repeat(500)),
            format!("{{ a{} }}", " @b".repeat(100)),
        ];
        for document in cases {
            assert!(check(&document, &limits).is_ok());
        }
    }

    #[test]
    fn a_refusal_names_its_limit() {
        let refusal = LimitExceeded::Nesting { limit: 40 };
        assert_eq!(refusal.reason(), "nesting_limit");
        assert!(refusal.to_string().contains("at most 40 levels"));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(document in any::<String>()) {
            let _ = check_default(&document);
        }

        #[test]
        fn text_made_of_tokens_never_panics(
            document in r#"([{}()\[\]:@#"\\,\n]|\.\.\.|"""|fragment|on|[AB]| |-?[0-9.e]+|é){0,200}"#,
        ) {
            let _ = check_default(&document);
        }

        #[test]
        fn nesting_is_accepted_up_to_the_limit(
            brackets in prop::collection::vec(
                prop_oneof![Just(("{", "}")), Just(("[", "]")), Just(("(", ")"))],
                0..80,
            ),
            limit in 0_usize..80,
        ) {
            let opened: String = brackets.iter().map(|(open, _)| *open).collect();
            let closed: String = brackets.iter().rev().map(|(_, close)| *close).collect();
            let limits = DocumentLimits { nesting: limit, ..DocumentLimits::default() };
            let accepted = check(&(opened + &closed), &limits).is_ok();
            prop_assert_eq!(accepted, brackets.len() <= limit);
        }
    }
}
