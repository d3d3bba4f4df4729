//! Labels of tokens: pairs of a key and a value that say what a token is for, such as
//! `tenant=acme`. They give no authority.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::control::is_control;
use super::fault::{Field, InputFault, shown};

/// Most labels of one token.
pub const MAX_LABELS: usize = 20;
/// Longest key, in characters, which are ASCII.
pub const MAX_KEY_LENGTH: usize = 63;
/// Longest value, in characters (Unicode scalar values).
pub const MAX_VALUE_LENGTH: usize = 200;

/// A label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// 1 to 63 of `a-z0-9._-`; unique among the labels of a token.
    pub key: String,
    /// 0 to 200 printable characters, compared byte by byte.
    pub value: String,
}

/// The labels of a token, sorted by their keys. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(Arc<[Label]>);

impl Labels {
    /// Checks keys with their values, as given under this field.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with the position of its pair.
    pub fn parse(field: Field, pairs: &[(String, String)]) -> Result<Self, Vec<InputFault>> {
        if pairs.len() > MAX_LABELS {
            let message = format!("At most {MAX_LABELS} labels are allowed.");
            return Err(vec![InputFault::invalid(field, "labels_too_many", message)]);
        }
        let (mut faults, mut keys) = (Vec::new(), HashSet::new());
        for (index, (key, value)) in pairs.iter().enumerate() {
            let mut refuse = |reason, message: String| {
                faults.push(InputFault::invalid(field, reason, message).at(index));
            };
            if !is_key(key) {
                let message = format!(
                    "`{}` is not the key of a label: 1 to {MAX_KEY_LENGTH} of a-z, 0-9, `.`, `_` \
                     and `-`.",
                    shown(key)
                );
                refuse("label_key_syntax", message);
            } else if !keys.insert(key) {
                refuse("label_key_duplicate", format!("The label `{key}` occurs more than once."));
            }
            if value.chars().nth(MAX_VALUE_LENGTH).is_some() {
                let message = format!(
                    "The value of the label `{}` must not be longer than {MAX_VALUE_LENGTH} \
                     characters.",
                    shown(key)
                );
                refuse("label_value_too_long", message);
            } else if value.chars().any(is_control) {
                let message = format!(
                    "The value of the label `{}` must not contain control characters, line breaks, \
                     characters that change the writing direction, or noncharacters.",
                    shown(key)
                );
                refuse("label_value_control_character", message);
            }
        }
        if faults.is_empty() {
            Ok(Self::stored(pairs.iter().cloned().collect()))
        } else {
            Err(faults)
        }
    }

    /// Labels that were checked before they were stored.
    pub fn stored(pairs: BTreeMap<String, String>) -> Self {
        Self(pairs.into_iter().map(|(key, value)| Label { key, value }).collect())
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The labels, sorted by their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Label> {
        self.0.iter()
    }

    /// The value of the label with this key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|label| label.key == key).map(|label| label.value.as_str())
    }
}

fn is_key(text: &str) -> bool {
    let is_part = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    (1..=MAX_KEY_LENGTH).contains(&text.len()) && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    /// Position and reason of each fault.
    fn faults(given: &[(&str, &str)]) -> Vec<(Option<usize>, &'static str)> {
        let faults = Labels::parse(Field::Labels, &pairs(given)).err().unwrap_or_default();
        faults.iter().map(|fault| (fault.index, fault.reason)).collect()
    }

    #[test]
    fn labels_are_sorted_by_their_keys() {
        let given = pairs(&[("tenant", "acme"), ("env", ""), ("a.b_c-9", "Ä b,=\"\\ 👩‍🔧")]);
        let labels = Labels::parse(Field::Labels, &given).unwrap();
        let keys: Vec<&str> = labels.iter().map(|label| label.key.as_str()).collect();
        assert_eq!(keys, ["a.b_c-9", "env", "tenant"]);
        assert_eq!(labels.get("tenant"), Some("acme"));
        assert_eq!(labels.get("env"), Some(""));
        assert_eq!(labels.get("Tenant"), None);
        assert!(Labels::parse(Field::Labels, &[]).unwrap().is_empty());
    }

    #[test]
    fn a_key_has_few_characters() {
        assert_eq!(faults(&[(&"k".repeat(MAX_KEY_LENGTH), "")]), []);
        let long = "k".repeat(MAX_KEY_LENGTH + 1);
        for key in ["", "Tenant", "a b", "a=b", "ä", "a/b", "a\0", "a:b", &long] {
            assert_eq!(faults(&[(key, "")]), [(Some(0), "label_key_syntax")], "{key}");
        }
    }

    #[test]
    fn a_value_is_printable_and_short() {
        let long = "ü".repeat(MAX_VALUE_LENGTH);
        assert_eq!(faults(&[("k", &long)]), []);
        assert_eq!(faults(&[("k", &format!("{long}ü"))]), [(Some(0), "label_value_too_long")]);
        for value in ["\n", "\t", "\0", "\u{7f}", "\u{2028}", "\u{202e}", "\u{ffff}"] {
            let expected = [(Some(0), "label_value_control_character")];
            assert_eq!(faults(&[("k", value)]), expected, "{value:?}");
        }
    }

    #[test]
    fn all_faults_are_reported_with_their_places() {
        let given = [("A", "\n"), ("k", ""), ("b", ""), ("k", &*"v".repeat(201))];
        let expected = [
            (Some(0), "label_key_syntax"),
            (Some(0), "label_value_control_character"),
            (Some(3), "label_key_duplicate"),
            (Some(3), "label_value_too_long"),
        ];
        assert_eq!(faults(&given), expected);
    }

    #[test]
    fn there_are_not_too_many() {
        let keys: Vec<String> = (0..=MAX_LABELS).map(|n| format!("k{n}")).collect();
        let given: Vec<(&str, &str)> = keys.iter().map(|key| (&**key, "")).collect();
        assert_eq!(faults(&given[1..]), []);
        assert_eq!(faults(&given), [(None, "labels_too_many")]);
    }
}
