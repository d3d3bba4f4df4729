//! Names of tokens: what is refused, and when two are the same.

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;

use super::fault::InputFault;

/// Longest name, in characters (Unicode scalar values).
pub const MAX_LENGTH: usize = 200;

/// A name that a token may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenName {
    text: String,
    key: String,
}

impl TokenName {
    /// Checks a name. It is kept as it was given.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InputFault> {
        let refuse = |reason, message: &str| Err(InputFault::invalid("name", reason, message));
        if text.is_empty() {
            return refuse("name_empty", "The name must not be empty.");
        }
        if text.chars().nth(MAX_LENGTH).is_some() {
            let message = format!("The name must not be longer than {MAX_LENGTH} characters.");
            return refuse("name_too_long", &message);
        }
        if text.chars().any(is_control) {
            let message = "The name must not contain control characters or line breaks.";
            return refuse("name_control_character", message);
        }
        if text.chars().all(is_blank) {
            return refuse("name_blank", "The name must not be blank.");
        }
        Ok(Self {
            text: text.to_owned(),
            key: comparison_key(text),
        })
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What is compared: two names are the same when their keys are equal.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// NFKC, case folding, and NFKC again, because folding can leave a text that is not normal
/// (Unicode, section 3.13, definition D146, without the removal of ignorable characters).
fn comparison_key(text: &str) -> String {
    let nfkc = ComposingNormalizer::new_nfkc();
    let folded = CaseMapper::new()
        .fold_string(&nfkc.normalize(text))
        .into_owned();
    nfkc.normalize(&folded).into_owned()
}

/// Control characters, the two line separators, and the characters that turn the writing direction,
/// with which a name could pose as another in a log or a list.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// White space, and characters that show nothing.
fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        )
        || matches!(
            character,
            '\u{2060}'..='\u{2064}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        TokenName::parse(text).unwrap().key().to_owned()
    }

    #[test]
    fn compares_after_nfkc_and_case_folding() {
        assert_eq!(key("Ｃｉ"), key("ci"));
        assert_eq!(key("STRASSE"), key("straße"));
        assert_eq!(key("e\u{301}"), key("É"));
        assert_ne!(key("ci"), key("cd"));
    }

    #[test]
    fn refuses_with_a_reason() {
        let reason = |text: &str| TokenName::parse(text).unwrap_err().reason;
        assert_eq!(reason(""), "name_empty");
        assert_eq!(reason(" \u{3000}\u{200b}"), "name_blank");
        assert_eq!(reason("a\nb"), "name_control_character");
        assert_eq!(reason("a\u{202e}b"), "name_control_character");
        assert_eq!(reason(&"ä".repeat(201)), "name_too_long");
        assert!(TokenName::parse(&"ä".repeat(200)).is_ok());
        assert!(TokenName::parse("👩‍💻 build").is_ok());
    }
}
