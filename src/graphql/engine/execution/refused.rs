//! Which root fields were refused and why, for the line of the request in the log: whoever is
//! refused in a field gets status 200 like everybody else.

use std::sync::{Mutex, PoisonError};

use async_graphql::{PathSegment, QueryPathNode, QueryPathSegment, ServerError, Value};

use crate::graphql::error::code_of;

/// Most refusals that a line names.
const NAMED: usize = 8;

/// The root fields that became null: the name of each in the answer and in the schema. The one in
/// the answer is a text of the client's, and not logged.
#[derive(Default)]
pub(super) struct RefusedFields(Mutex<Vec<(String, String)>>);

impl RefusedFields {
    /// Notes a root field with an error.
    pub(super) fn note(&self, node: &QueryPathNode<'_>, name: &str) {
        if let (None, QueryPathSegment::Name(alias)) = (node.parent, node.segment) {
            let mut fields = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            fields.push((alias.to_owned(), name.to_owned()));
        }
    }

    /// The refused fields, each with code and reason, if there is one.
    pub(super) fn named(&self, errors: &[ServerError]) -> Option<String> {
        let fields = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut refusals: Vec<String> = Vec::new();
        for error in errors {
            let [PathSegment::Field(alias)] = error.path.as_slice() else { continue };
            let Some((_, name)) = fields.iter().find(|(known, _)| known == alias) else { continue };
            let refusal = [name.as_str(), code_of(error).unwrap_or_default(), reason_of(error)];
            let refusal = refusal.join(" ").trim_end().to_owned();
            if !refusals.contains(&refusal) && refusals.len() < NAMED {
                refusals.push(refusal);
            }
        }
        (!refusals.is_empty()).then(|| refusals.join(", "))
    }
}

fn reason_of(error: &ServerError) -> &str {
    match error.extensions.as_ref().and_then(|values| values.get("reason")) {
        Some(Value::String(reason)) => reason,
        _ => "",
    }
}
