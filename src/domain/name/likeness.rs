//! Names that look like others although they are written with other characters (UTS #39).

use std::collections::BTreeMap;

use icu_properties::props::{
    Alphabetic, BinaryProperty, EnumeratedProperty, GeneralCategory, GeneralCategoryGroup, Script,
};
use unicode_security::confusable_detection::skeleton;
use unicode_security::mixed_script::AugmentedScriptSet;

/// Do the two look the same?
pub(super) fn look_alike(one: &str, other: &str) -> bool {
    skeleton(one).eq(skeleton(other))
}

/// Does a text mix scripts in a way that only an imitation does? `seen` has no invisible
/// characters.
///
/// Every word must be of one script, or of Latin with Chinese, Japanese or Korean: the level
/// "highly restrictive" of UTS #39, section 5.2. Words of different scripts may follow each other,
/// unless all letters of one script next to Latin could be Latin.
pub(super) fn mixes_scripts(seen: &str) -> bool {
    seen.split(|character| !is_part_of_word(character)).any(is_mixed) || imitates_latin(seen)
}

fn is_part_of_word(character: char) -> bool {
    Alphabetic::for_char(character)
        || GeneralCategoryGroup::Mark.contains(GeneralCategory::for_char(character))
        || GeneralCategoryGroup::Number.contains(GeneralCategory::for_char(character))
}

fn is_mixed(word: &str) -> bool {
    if !AugmentedScriptSet::for_str(word).is_empty() {
        return false;
    }
    let without_latin: String = word.chars().filter(|character| !is_latin(*character)).collect();
    !is_east_asian(AugmentedScriptSet::for_str(&without_latin))
}

fn imitates_latin(seen: &str) -> bool {
    if !seen.chars().any(is_latin) {
        return false;
    }
    let mut scripts: BTreeMap<Script, bool> = BTreeMap::new();
    for character in seen.chars().filter(|character| !is_latin(*character)) {
        let set = AugmentedScriptSet::for_char(character);
        if Alphabetic::for_char(character) && !set.is_all() && !is_east_asian(set) {
            *scripts.entry(Script::for_char(character)).or_insert(true) &=
                could_be_latin(character);
        }
    }
    scripts.into_values().any(|all| all)
}

/// Only ASCII letters count: phonetic letters look like half of every alphabet.
fn could_be_latin(character: char) -> bool {
    let mut buffer = [0; 4];
    skeleton(character.encode_utf8(&mut buffer))
        .all(|part| part.is_ascii_alphabetic() || AugmentedScriptSet::for_char(part).is_all())
}

fn is_latin(character: char) -> bool {
    Script::for_char(character) == Script::Latin
}

const fn is_east_asian(set: AugmentedScriptSet) -> bool {
    set.hanb || set.jpan || set.kore
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_imitation_is_told() {
        for imitation in [
            "\u{430}dmin",
            "t\u{43e}ken 1",
            "\u{455}ystem",
            "a\u{3bb}",
            "k\u{3a9}",
            // Words of one script each, one of which could be Latin.
            "\u{441}\u{43e}\u{440} bot",
            "CI \u{422}\u{415}\u{421}\u{422}",
            "\u{3bf} test",
            "ci-\u{3b1}1",
        ] {
            assert!(mixes_scripts(imitation), "{imitation}");
        }
    }

    #[test]
    fn what_people_write_is_none() {
        for name in [
            "administrator",
            "naïve café",
            "Straße 7",
            "x²",
            "µs timer",
            "1а",
            "π-day",
            "👩💻 build",
            "CI для отдела",
            "SMS от CRM",
            "бот v2",
            "пример CI",
            "API Ελληνικά",
            "αβγ test",
            "日本語CI",
            "東京ビル bot",
            "한국어test",
            "注音ㄅㄆ x",
            "עברית bot",
            "العربية api",
            "١٢٣ ci",
            "हिन्दी build",
            "বাংলা ci",
            "மொழி ci",
            "ไทย ci",
            "Հայ CI",
            "ქართული ci",
            "አማርኛ ci",
            "ʻokina",
            "сор",
        ] {
            assert!(!mixes_scripts(name), "{name}");
        }
    }
}
