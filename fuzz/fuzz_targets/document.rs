//! Any text that passes the limits can be read and judged: without a panic, within the stack of a worker
//! thread, and in bounded time and memory. `scripts/fuzz` sets those bounds.

#![no_main]

use std::sync::LazyLock;

use apollo_compiler::Schema;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::Valid;
use async_graphql_parser::parse_query;
use graphql::limits::{self, DocumentLimits};
use libfuzzer_sys::fuzz_target;

// The module itself, so that nothing else of the server has to be built.
#[expect(dead_code, reason = "the server tells what is refused, and why")]
#[path = "../../src/graphql/engine"]
mod graphql {
    pub mod limits;
}

/// As the server has it.
const MAX_RECURSION: usize = 200;

static SCHEMA: LazyLock<Valid<Schema>> = LazyLock::new(|| {
    let schema = Schema::parse_and_validate(include_str!("../../schema.graphql"), "schema");
    schema.expect("the committed schema is valid")
});

fuzz_target!(|text: &str| {
    if limits::check(text, &DocumentLimits::default()).is_err() {
        return;
    }
    // The order in which the server asks them.
    if parse_query(text).is_err() {
        return;
    }
    let mut parser = Parser::new().recursion_limit(MAX_RECURSION);
    if let Ok(document) = parser.parse_ast(text, "document") {
        let _verdict = document.to_executable_validate(&SCHEMA);
    }
});
