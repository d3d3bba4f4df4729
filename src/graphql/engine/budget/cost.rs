//! What a value costs, and what a row.

use std::mem::size_of;
use std::sync::Arc;

use async_graphql::Value;

use crate::domain::address::IpNetwork;
use crate::domain::api_token::ApiToken;
use crate::domain::audit::{AuditChange, AuditEvent};
use crate::domain::label::Label;
use crate::domain::user::User;

/// Bytes of a row besides what grows with its contents.
const ROW: usize = 512;
/// Bytes of a permission in a set.
const PERMISSION: usize = 64;
/// Bytes of a label besides its texts.
const LABEL: usize = size_of::<Label>() + 32;
/// Bytes of a change besides its texts.
const CHANGE: usize = size_of::<AuditChange>() + 48;

/// A row that a resolver holds.
pub(in crate::graphql) trait Held {
    /// About how many bytes it takes up.
    fn held(&self) -> usize;
}

impl<T: Held> Held for Arc<T> {
    fn held(&self) -> usize {
        self.as_ref().held()
    }
}

impl Held for ApiToken {
    fn held(&self) -> usize {
        let lists = self.allowed_addresses.iter().len() * size_of::<IpNetwork>()
            + self.permissions.iter().count() * PERMISSION;
        let labels = self.labels.iter().map(|label| LABEL + label.key.len() + label.value.len());
        ROW + self.name.len() + self.description.len() + lists + labels.sum::<usize>()
    }
}

impl Held for User {
    fn held(&self) -> usize {
        ROW + self.name.len()
    }
}

impl Held for AuditEvent {
    fn held(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let changes = self
            .changes
            .iter()
            .map(|change| CHANGE + change.field.len() + text(&change.before) + text(&change.after));
        ROW + changes.sum::<usize>()
    }
}

/// The values and bytes of JSON that a resolved field adds to those of the fields and elements
/// below it, which have drawn before it.
pub(super) fn of_field(value: &Value) -> (usize, usize) {
    match value {
        Value::Null | Value::Boolean(_) => (0, 6),
        Value::Number(_) => (0, 20),
        Value::String(text) => (0, text.len() + 3),
        Value::Enum(name) => (0, name.len() + 3),
        Value::Binary(bytes) => (0, 4 * bytes.len()),
        Value::List(elements) => (elements.len(), 2),
        Value::Object(fields) => (fields.len(), fields.keys().map(|key| key.len() + 4).sum()),
    }
}
