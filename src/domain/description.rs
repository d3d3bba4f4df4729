//! What a token is for, in words. It gives no authority.

use super::control::is_control;
use super::fault::{Field, InputFault};

/// Longest description, in characters (Unicode scalar values).
pub const MAX_LENGTH: usize = 1_000;

/// A description that a token may have: free text, which may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    /// Checks a description. It is kept as it was given. Line breaks and tabs are the only control
    /// characters that it may hold.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InputFault> {
        let refuse =
            |reason, message| Err(InputFault::invalid(Field::Description, reason, message));
        if text.chars().nth(MAX_LENGTH).is_some() {
            let message =
                format!("The description must not be longer than {MAX_LENGTH} characters.");
            return refuse("description_too_long", message);
        }
        let is_free = |character| matches!(character, '\n' | '\t') || !is_control(character);
        // A carriage return by itself overwrites a line where the text is printed.
        if !text.replace("\r\n", "\n").chars().all(is_free) {
            let message = "The description must not contain control characters other than line \
                           breaks and tabs, characters that change the writing direction, or \
                           noncharacters.";
            return refuse("description_control_character", message.to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Description> for String {
    fn from(description: Description) -> Self {
        description.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> Option<&'static str> {
        Description::parse(text).err().map(|fault| fault.reason)
    }

    #[test]
    fn free_text_is_kept_as_it_is() {
        for text in ["", " ", "für die Buchhaltung\n\tsiehe Wiki\r\n", "👩‍🔧", "\u{378}"] {
            assert_eq!(Description::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn its_length_counts_characters() {
        assert_eq!(reason(&"ü".repeat(MAX_LENGTH)), None);
        assert_eq!(reason(&"ü".repeat(MAX_LENGTH + 1)), Some("description_too_long"));
    }

    #[test]
    fn what_could_deceive_a_reader_is_refused() {
        let refused = ["\0", "\u{7}", "\u{1b}[2J", "\u{85}", "\u{2028}", "\u{2029}", "a\rb", "\r"];
        for text in refused.into_iter().chain(["\u{202e}", "\u{2066}", "\u{fffe}", "\u{fdd0}"]) {
            assert_eq!(reason(text), Some("description_control_character"), "{text:?}");
        }
    }
}
