//! What is changed. Each token is changed once, and the makers of tokens stay.

use chrono::TimeDelta;
use tokenwright::domain::clock::{Clock, SystemClock};
use tokenwright::domain::id::ApiTokenId;

use super::operation::Operation;
use crate::support::document;
use crate::support::rows::{MAKERS, id};

/// Requests on each connection, in each round.
const REQUESTS: usize = 5;
/// Tokens that one kind of change may come to.
const SHARE: usize = 300;

/// The body that changes a token.
type Change = fn(usize) -> String;

/// All kinds of change.
pub fn all() -> Vec<Operation> {
    let kinds: [(&str, Change); 3] = [
        ("updateApiToken, the name", |number| {
            let more = format!("version: 1, name: \\\"new {number}\\\"");
            mutation("updateApiToken", number, &more, "apiToken { id }")
        }),
        ("renewApiToken, ending the old one", |number| {
            let expiry = (SystemClock.now() + TimeDelta::days(30)).format("%Y-%m-%dT%H:%M:%SZ");
            let more = format!("expiry: \\\"{expiry}\\\", overlapSeconds: 60");
            mutation("renewApiToken", number, &more, "token")
        }),
        ("deleteApiToken", |number| mutation("deleteApiToken", number, "", "deletedApiTokenId")),
    ];
    let operation = |(kind, (name, body)): (usize, (&str, Change))| {
        let first = MAKERS + 1 + kind * SHARE;
        Operation::new(name, move |n, _| body(first + n)).times(REQUESTS)
    };
    kinds.into_iter().enumerate().map(operation).collect()
}

fn mutation(field: &str, number: usize, more: &str, selected: &str) -> String {
    let id = ApiTokenId::from_uuid(id(number));
    let input = format!("{{ id: \\\"{id}\\\" {more} }}");
    document(&format!("mutation {{ {field}(input: {input}) {{ {selected} }} }}"))
}
