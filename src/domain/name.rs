//! Names of tokens: what is refused, and when two are the same.

mod key;
mod likeness;

use icu_properties::props::{BinaryProperty, WhiteSpace};

use super::control::is_control;
use super::fault::{Field, InputFault};
use super::user::UserInfo;

pub use key::{KEY_VERSION, stored_key};
use key::{comparison_key, is_invisible, seen};

/// Longest name, in characters (Unicode scalar values).
pub const MAX_LENGTH: usize = 200;

/// A name that a token may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiTokenName {
    text: String,
    key: String,
}

impl ApiTokenName {
    /// Checks a name. It is kept as it was given.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InputFault> {
        let refuse = |reason, message: &str| Err(InputFault::invalid(Field::Name, reason, message));
        if text.is_empty() {
            return refuse("name_empty", "The name must not be empty.");
        }
        if text.chars().nth(MAX_LENGTH).is_some() {
            let message = format!("The name must not be longer than {MAX_LENGTH} characters.");
            return refuse("name_too_long", &message);
        }
        if text.chars().any(is_control) {
            let message = "The name must not contain control characters, line breaks, characters \
                           that change the writing direction, or noncharacters.";
            return refuse("name_control_character", message);
        }
        if text.chars().all(is_blank) {
            return refuse("name_blank", "The name must not be blank.");
        }
        if likeness::mixes_scripts(&seen(text)) {
            let message = "The name must not mix letters of different scripts that look alike, \
                           such as Latin and Cyrillic ones; Latin may be mixed with Chinese, \
                           Japanese and Korean.";
            return refuse("name_mixed_scripts", message);
        }
        let key = comparison_key(text);
        // Audit events show the name of who acted.
        let system = UserInfo::system().user_name;
        if likeness::look_alike(&key, &system) {
            let message =
                format!("The name is or looks like `{system}`, the name of a built-in user.");
            return refuse("name_reserved", &message);
        }
        Ok(Self { text: text.to_owned(), key })
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What names are compared by: two names are the same when their keys are equal. White space
    /// around a name and invisible characters are kept, but make no difference here.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// A part of a name to search for, compared as names are; empty: any name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamePart(String);

impl NamePart {
    /// Checks a part of a name. A text that no name can contain is refused.
    ///
    /// # Errors
    /// The first thing that is wrong with it, under this field.
    pub fn parse(field: Field, text: &str) -> Result<Self, InputFault> {
        if text.chars().nth(MAX_LENGTH).is_some() {
            let message = format!("Names are not longer than {MAX_LENGTH} characters.");
            return Err(InputFault::invalid(field, "name_too_long", message));
        }
        if text.chars().any(is_control) {
            let message = "Names have no control characters, line breaks, characters that change \
                           the writing direction, or noncharacters.";
            return Err(InputFault::invalid(field, "name_control_character", message));
        }
        Ok(Self(comparison_key(text)))
    }

    /// What the key of a name contains; `None`: anything.
    pub fn key(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|key| !key.is_empty())
    }
}

fn is_blank(character: char) -> bool {
    WhiteSpace::for_char(character) || is_invisible(character)
}

#[cfg(test)]
mod tests {
    use super::super::fault::FilterField;
    use super::*;

    const PART: Field = Field::Filter(FilterField::Name);

    fn key(text: &str) -> String {
        ApiTokenName::parse(text).unwrap().key().to_owned()
    }

    #[test]
    fn compares_after_nfkc_and_case_folding() {
        assert_eq!(key("Ｃｉ"), key("ci"));
        assert_eq!(key("STRASSE"), key("straße"));
        assert_eq!(key("e\u{301}"), key("É"));
        assert_ne!(key("ci"), key("cd"));
    }

    #[test]
    fn white_space_around_a_name_is_kept_and_makes_no_difference() {
        let name = ApiTokenName::parse("\u{3000} ci\u{a0} ").unwrap();
        assert_eq!(name.as_str(), "\u{3000} ci\u{a0} ");
        assert_eq!(name.key(), key("CI"));
        assert_ne!(key("c i"), key("ci"));
    }

    #[test]
    fn a_part_is_compared_as_names_are() {
        let part = |text: &str| NamePart::parse(PART, text).unwrap();
        assert_eq!(part(" ＣＩ ").key(), Some("ci"));
        assert!(key("Große Straße").contains(part("STRASSE").key().unwrap()));
        assert_eq!(part(" \u{3000}"), NamePart::default());
        assert_eq!(NamePart::default().key(), None);
        let refusal = |text: &str| NamePart::parse(PART, text).unwrap_err();
        assert_eq!(refusal("a\0b").reason, "name_control_character");
        assert_eq!(refusal(&"ä".repeat(201)).reason, "name_too_long");
        assert_eq!(refusal("\n").field, PART);
    }

    #[test]
    fn characters_that_show_nothing_are_no_name() {
        let ignorable = "\u{34f}\u{fe0f}\u{180b}\u{206a}\u{17b4}\u{e0041}\u{1d173}\u{ad}\u{feff}";
        for character in ignorable.chars().chain("\u{200d}\u{115f}\u{3164}\u{2800}\u{85}".chars()) {
            let refusal = ApiTokenName::parse(&format!(" {character}")).unwrap_err();
            let expected = match character {
                '\u{85}' => "name_control_character",
                _ => "name_blank",
            };
            assert_eq!(refusal.reason, expected, "{character:?}");
        }
        for visible in ["🏴\u{e0067}\u{e007f}", "❤\u{fe0f}", "क\u{94d}\u{200d}ष", "\u{378}"]
        {
            assert!(ApiTokenName::parse(visible).is_ok(), "{visible:?}");
        }
    }

    #[test]
    fn invisible_characters_make_no_difference() {
        let invisible = "\u{ad}\u{34f}\u{115f}\u{180b}\u{200b}\u{200d}\u{2060}\u{2800}\u{3164}\
                         \u{fe0f}\u{feff}\u{fffa}\u{e0041}";
        assert_eq!(invisible.chars().count(), 13);
        for character in invisible.chars() {
            for double in [
                format!("{character}administrator"),
                format!("Admin{character}istrator"),
                format!("administrator {character}"),
            ] {
                let name = ApiTokenName::parse(&double).unwrap();
                assert_eq!(name.key(), "administrator", "{character:?}");
                assert_eq!(name.as_str(), double);
            }
        }
        assert_eq!(key("s\u{200b}ysten"), "systen");
    }

    #[test]
    fn the_names_of_built_in_users_are_reserved() {
        let reason = |text: &str| ApiTokenName::parse(text).unwrap_err().reason;
        for name in
            ["system", " System ", "SYSTEM", "sys\u{200b}tem", "ｓｙｓｔｅｍ", "𝐬ystem", "systern"]
        {
            assert_eq!(reason(name), "name_reserved", "{name}");
        }
        for name in ["\u{455}ystem", "s\u{443}\u{200b}stem"] {
            assert_eq!(reason(name), "name_mixed_scripts", "{name}");
        }
        for name in ["systems", "system 2", "operating system", "système"] {
            assert!(ApiTokenName::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_is_no_character_or_turns_the_direction_is_refused() {
        for character in ['\u{fffe}', '\u{fdd0}', '\u{10ffff}', '\u{200f}', '\u{61c}', '\u{2029}'] {
            let refusal = ApiTokenName::parse(&format!("a{character}b")).unwrap_err();
            assert_eq!(refusal.reason, "name_control_character", "{character:?}");
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        let reason = |text: &str| ApiTokenName::parse(text).unwrap_err().reason;
        assert_eq!(reason(""), "name_empty");
        assert_eq!(reason(" \u{3000}\u{200b}"), "name_blank");
        assert_eq!(reason("a\nb"), "name_control_character");
        assert_eq!(reason("a\u{202e}b"), "name_control_character");
        assert_eq!(reason(&"ä".repeat(201)), "name_too_long");
        assert!(ApiTokenName::parse(&"ä".repeat(200)).is_ok());
        assert!(ApiTokenName::parse("👩‍💻 build").is_ok());
    }
}
