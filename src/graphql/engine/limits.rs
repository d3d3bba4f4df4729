//! Every limit on a GraphQL request, with the reason for its number.
//!
//! A document of a few kilobytes can demand a very long answer, a deep stack or exponential work.
//! These limits are measured on the parsed document before it is validated, except where a limit
//! says otherwise.

/// Names, values and punctuators. The standard introspection query has 240; generated clients send
/// documents of 2,000. Parsing and validating 5,000 takes some 10 ms.
pub(super) const MAX_TOKENS: usize = 5_000;
/// Brackets of every kind open at once, also when fragments are expanded. The standard
/// introspection query has 14. Parser, validation and engine recurse once or a few times for each,
/// on stacks of 2 MiB.
pub(super) const MAX_NESTING: usize = 40;
/// The recursion limit of the library's parser: a second wall behind [`MAX_NESTING`], which is
/// never reached.
pub(super) const MAX_RECURSION: usize = 2 * MAX_NESTING;
/// Arguments, input fields or variables in one pair of brackets: validation compares each with all
/// others.
pub(super) const MAX_ENTRIES: usize = 100;
/// Fragment definitions; clients that generate one for each component send dozens.
pub(super) const MAX_FRAGMENTS: usize = 100;
/// Spreads of named fragments: validation follows each of them.
pub(super) const MAX_SPREADS: usize = 500;
/// Directives in the whole document: validation compares those of one place with each other.
pub(super) const MAX_DIRECTIVES: usize = 100;
/// Directives on one field. Nobody needs more than `@skip` and `@include`.
pub(super) const MAX_FIELD_DIRECTIVES: usize = 5;
/// Fields, spreads and inline fragments of all operations once every fragment is expanded.
pub(super) const MAX_SELECTIONS: usize = 10_000;
/// Aliases of one operation, fragments expanded: each may ask for an expensive field once more.
pub(super) const MAX_ALIASES: usize = 30;
/// Levels of fields of one operation, fragments expanded; the standard introspection query has 13.
pub(super) const MAX_DEPTH: usize = 15;
/// Root fields of one mutation, skipped ones included. Each may be expensive, and may fail with
/// many errors.
pub(super) const MAX_MUTATION_FIELDS: usize = 50;
/// Introspected lists inside each other on one path. graphql-js refuses three as well: a few levels
/// more multiply a short document into an answer of gigabytes, and no limit on depth prevents it.
pub(super) const MAX_INTROSPECTED_LISTS: usize = 2;
/// Times that one document may ask for the whole schema.
pub(super) const MAX_SCHEMAS: usize = 2;
/// Times that one document may ask for a type by its name: each may be as long as all the
/// permissions.
pub(super) const MAX_TYPES: usize = 10;
/// Selected fields of an operation; those of a page count once for each row that it may have.
/// Enough for the largest page of tokens with all their fields and users, but not for two of them.
/// The engine measures it, since it depends on the values of variables.
pub(super) const MAX_COMPLEXITY: usize = 10_000;

/// Lists that one mutation may select in its answer, fragments expanded: a mutation is never given
/// up, so its answer is bounded before it begins. Enough for the permissions and addresses of as
/// many tokens as it may have root fields.
pub(super) const MAX_MUTATION_LISTS: usize = 2 * MAX_MUTATION_FIELDS;

/// Values of an answer: enough for the largest page of tokens, each with 1,000 addresses and 20
/// labels, all its other fields and its user.
pub(super) const MAX_ANSWER_VALUES: usize = 125_000;
/// Bytes of JSON of an answer: enough for such a page, with IPv6 addresses and the longest labels.
pub(super) const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of memory that an answer may take, from the rows that are read for it to its JSON.
pub(super) const MAX_ANSWER_MEMORY: usize = 40 * 1024 * 1024;
/// Bytes of JSON from which an answer is written outside of the worker, which other requests need.
pub(super) const LARGE_ANSWER: usize = 64 * 1024;

/// Answers of one size, by the memory that they take.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnswerSize {
    /// Most bytes of one of them.
    pub(super) each: usize,
    /// Most bytes of all of them together.
    pub(super) together: usize,
}

/// The memory for all answers: 128 MiB, so that a container of 256 MiB suffices. The sizes are
/// those of an object, of a usual page, and of the largest answer.
pub(super) const ANSWER_SIZES: [AnswerSize; 3] = [
    AnswerSize { each: 16 * 1024, together: 16 * 1024 * 1024 },
    AnswerSize { each: 4 * 1024 * 1024, together: 32 * 1024 * 1024 },
    AnswerSize { each: MAX_ANSWER_MEMORY, together: 2 * MAX_ANSWER_MEMORY },
];

/// Errors of a refused request that are reported; the first ones show what to correct.
pub(super) const MAX_REQUEST_ERRORS: usize = 5;
/// Errors of an executed request that are reported; the fields of the others are null without an
/// error.
pub(super) const MAX_FIELD_ERRORS: usize = 100;
/// Characters of a name that a client sent and that an error repeats. Enough to recognise it; a
/// document may hold a name of 60 KB.
pub(super) const MAX_REPEATED_NAME: usize = 80;

/// Bytes that all documents in the cache may take up together.
pub(super) const MAX_CACHED_BYTES: u64 = 16 * 1024 * 1024;

/// A limit that a document exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Tokens,
    Nesting,
    Entries,
    Fragments,
    Spreads,
    Directives,
    FieldDirectives,
    Selections,
    Aliases,
    Depth,
    MutationFields,
    MutationLists,
    Introspection,
}

impl Limit {
    /// `extensions.reason`; stable.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Tokens => "token_limit",
            Self::Nesting => "nesting_limit",
            Self::Entries => "entry_limit",
            Self::Fragments => "fragment_limit",
            Self::Spreads => "spread_limit",
            Self::Directives => "directive_limit",
            Self::Selections => "expansion_limit",
            Self::FieldDirectives | Self::Aliases | Self::Depth | Self::MutationLists => {
                "query_limit"
            }
            Self::MutationFields => "root_field_limit",
            Self::Introspection => "introspection_limit",
        }
    }

    /// What the client reads.
    pub(super) fn message(self) -> String {
        match self {
            Self::Tokens => {
                format!("The document is too long: at most {MAX_TOKENS} tokens are allowed.")
            }
            Self::Nesting => format!(
                "The document nests too deeply: at most {MAX_NESTING} levels of brackets are \
                 allowed, counting those inside the fragments it spreads."
            ),
            Self::Entries => format!(
                "The document has too much in one pair of brackets: at most {MAX_ENTRIES} \
                 arguments, input fields or variables are allowed."
            ),
            Self::Fragments => format!(
                "The document defines too many fragments: at most {MAX_FRAGMENTS} are allowed."
            ),
            Self::Spreads => format!(
                "The document spreads fragments too often: at most {MAX_SPREADS} spreads are \
                 allowed."
            ),
            Self::Directives => format!(
                "The document has too many directives: at most {MAX_DIRECTIVES} are allowed."
            ),
            Self::FieldDirectives => format!(
                "A field has too many directives: at most {MAX_FIELD_DIRECTIVES} are allowed."
            ),
            Self::Selections => format!(
                "The document selects too much: at most {MAX_SELECTIONS} selections are allowed \
                 once its fragments are expanded."
            ),
            Self::Aliases => format!(
                "The operation has too many aliases: at most {MAX_ALIASES} are allowed, counting \
                 those in the fragments it spreads."
            ),
            Self::Depth => format!(
                "The operation nests too deeply: at most {MAX_DEPTH} levels of fields are allowed, \
                 counting those in the fragments it spreads."
            ),
            Self::MutationFields => format!(
                "The mutation is too long: at most {MAX_MUTATION_FIELDS} root fields are allowed, \
                 counting those in the fragments it spreads."
            ),
            Self::MutationLists => format!(
                "The mutation selects too many lists: at most {MAX_MUTATION_LISTS} are allowed, \
                 counting those in the fragments it spreads."
            ),
            Self::Introspection => {
                "The document nests the lists of introspection too deeply, or asks for the whole \
                 schema or for types by name too often."
                    .to_owned()
            }
        }
    }
}
