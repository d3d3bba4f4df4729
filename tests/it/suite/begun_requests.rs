//! Requests that have begun when their token is revoked: whatever they wait for, from the
//! acknowledgement on they read nothing and change nothing.

mod body;
mod faults;
mod operation;
mod pool;
mod reading;
mod revocation;
mod transaction;
mod verification;

use std::fmt::Display;

use serde_json::{Value, json};

use crate::support::{Made, TestApp, made};

use operation::Operation;
use revocation::Revocation;

const PERMISSIONS: [&str; 5] = [
    "API_ORGANIZATIONS_READ",
    "API_USERS_READ",
    "API_API_TOKENS_READ",
    "API_API_TOKENS_WRITE",
    "API_API_TOKENS_DELETE",
];

/// A token that may do everything that is tried here, for as long as the revocation wants it.
async fn caller(app: &TestApp, name: &str, revocation: Revocation) -> Made {
    let expiry = app.in_time(revocation.lifetime());
    made(app, name, json!({ "permissions": PERMISSIONS, "expiry": expiry })).await
}

/// Requires a refusal that says that the token may not do this, and no data.
fn assert_refused(status: impl Display, body: &str, what: &str) {
    let answer: Value = serde_json::from_str(body).unwrap();
    let code = answer["errors"][0]["extensions"]["code"].as_str();
    let is_refusal = matches!(code, Some("UNAUTHENTICATED" | "FORBIDDEN"));
    assert!(is_refusal, "{what}: {status} {body}");
    let data = answer["data"].as_object();
    let shown = data.is_some_and(|data| data.values().any(|field| !field.is_null()));
    assert!(!shown, "{what}: {status} {body}");
}
