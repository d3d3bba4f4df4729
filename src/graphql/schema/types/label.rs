//! What a token is for, as pairs of a key and a value.

use async_graphql::{InputObject, SimpleObject};

use crate::domain::label;

/// A label of an API token, such as `tenant` with the value `acme`. Labels give no authority.
#[derive(SimpleObject)]
pub(in crate::graphql) struct Label {
    /// Unique among the labels of a token.
    key: String,
    /// The value, which may be empty.
    value: String,
}

/// A label, as a key and a value.
#[derive(InputObject)]
pub(in crate::graphql) struct LabelInput {
    /// 1 to 63 of `a-z`, `0-9`, `.`, `_` and `-` (`label_key_syntax`).
    key: String,
    /// 0 to 200 printable characters (`label_value_too_long`, `label_value_control_character`).
    value: String,
}

impl From<&label::Label> for Label {
    fn from(label: &label::Label) -> Self {
        Self { key: label.key.clone(), value: label.value.clone() }
    }
}

impl LabelInput {
    /// Keys and values, unchecked.
    pub(in crate::graphql) fn pairs(labels: Vec<Self>) -> Vec<(String, String)> {
        labels.into_iter().map(|label| (label.key, label.value)).collect()
    }
}
