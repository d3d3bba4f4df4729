//! Any text can be read and judged: without a panic, within the stack of a worker thread, and in bounded time
//! and memory. `scripts/fuzz` sets those bounds. This is the code of the server itself, up to the point where
//! an operation is ready to run.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tokenwright::graphql::{Documents, Transport};

static DOCUMENTS: LazyLock<Documents> =
    LazyLock::new(|| Documents::new(include_str!("../../schema.graphql")));

fuzz_target!(|text: &str| {
    let _verdict = DOCUMENTS.read(text, Transport::Socket);
});
