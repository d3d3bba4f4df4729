//! Suggestions for a name that is not in the schema.

use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;
use strsim::damerau_levenshtein;

/// The most names that are suggested.
const MAX_NAMES: usize = 3;
/// A longer name is not a typing error, and would take long to compare.
const MAX_LENGTH: usize = 64;

/// A sentence with the nearest names. It is made from the library's name of the broken rule and its
/// message, which has the unknown name and the type that lacks it in quotes, in this order.
pub(super) fn after(rule: &str, message: &str, schema: &Schema) -> Option<String> {
    let mut quoted = message.split('"').skip(1).step_by(2);
    let (unknown, of) = (quoted.next()?, quoted.next());
    let known: Vec<&str> = match (rule, of.and_then(|of| schema.types.get(of))) {
        ("UndefinedField", Some(ExtendedType::Object(ty))) => {
            ty.fields.keys().map(|name| name.as_str()).collect()
        }
        ("UndefinedField", Some(ExtendedType::Interface(ty))) => {
            ty.fields.keys().map(|name| name.as_str()).collect()
        }
        ("UndefinedInputValue", Some(ExtendedType::InputObject(ty))) => {
            ty.fields.keys().map(|name| name.as_str()).collect()
        }
        ("UndefinedEnumValue", Some(ExtendedType::Enum(ty))) => {
            ty.values.keys().map(|name| name.as_str()).collect()
        }
        ("UndefinedDefinition", None) => schema.types.keys().map(|name| name.as_str()).collect(),
        _ => return None,
    };
    sentence(&nearest(unknown, known))
}

/// The names that differ least, and by no more than two fifths of the unknown name, as in
/// graphql-js.
fn nearest<'a>(unknown: &str, known: Vec<&'a str>) -> Vec<&'a str> {
    if unknown.len() > MAX_LENGTH {
        return Vec::new();
    }
    let most = unknown.len() * 2 / 5 + 1;
    let unknown = unknown.to_lowercase();
    let far =
        known.into_iter().map(|name| (damerau_levenshtein(&unknown, &name.to_lowercase()), name));
    let mut near: Vec<(usize, &str)> = far.filter(|(distance, _)| *distance <= most).collect();
    near.sort_unstable();
    near.into_iter().take(MAX_NAMES).map(|(_, name)| name).collect()
}

fn sentence(names: &[&str]) -> Option<String> {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let (last, others) = quoted.split_last()?;
    Some(if others.is_empty() {
        format!("Did you mean {last}?")
    } else {
        format!("Did you mean {} or {last}?", others.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_the_far_not_at_all() {
        let known = || vec!["apiToken", "apiTokens", "user", "users", "node"];
        assert_eq!(nearest("apitoken", known()), ["apiToken", "apiTokens"]);
        assert_eq!(nearest("apiTokenz", known()), ["apiToken", "apiTokens"]);
        assert_eq!(nearest("usres", known()), ["users", "user"]);
        assert_eq!(nearest("something", known()), [""; 0]);
        assert_eq!(nearest(&"user".repeat(20), known()), [""; 0]);
    }

    #[test]
    fn a_sentence_lists_them() {
        assert_eq!(sentence(&[]), None);
        assert_eq!(sentence(&["a"]).unwrap(), "Did you mean \"a\"?");
        assert_eq!(sentence(&["a", "b", "c"]).unwrap(), "Did you mean \"a\", \"b\" or \"c\"?");
    }
}
