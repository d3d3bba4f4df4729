//! The schema in its definition language (SDL).

use std::sync::Arc;

use async_graphql::SDLExportOptions;

use super::permission::Texts;
use super::with_texts;
use crate::domain::catalogue::{Catalogue, CatalogueEntry};

/// A noncharacter, which no text of a catalogue has: a quote in a reason, until the engine has
/// written it.
const QUOTE: char = '\u{fdd0}';

/// The schema definition as served, with the permissions of this catalogue.
pub fn sdl(catalogue: &Arc<Catalogue>) -> String {
    let options = SDLExportOptions::new().include_specified_by();
    let schema = with_texts(catalogue, escaped).finish();
    schema.sdl_with_options(options).replace(QUOTE, "\\\"")
}

/// The engine writes a description as a block string and a reason as a string, but escapes quotes
/// in neither.
fn escaped(entry: &CatalogueEntry) -> Texts {
    Texts {
        description: entry.description.replace("\"\"\"", "\\\"\"\""),
        deprecated: entry.deprecated.as_ref().map(|reason| reason.replace('"', &QUOTE.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::Schema;
    use apollo_compiler::schema::Value;

    use super::*;

    #[test]
    fn the_texts_of_a_catalogue_come_through() {
        let texts = [
            "Plain.",
            "With \"quotes\".",
            "Three \"\"\" and four \"\"\"\" and six \"\"\"\"\"\".",
            "\"\"\"",
            "ends with a quote\"",
            "\"begins with one",
            "\\\"\"\" is an escape, \\\" is one too, \\u0041 as well",
            "ends with a backslash\\",
            "two\nlines \"\"\" \nand\ta tab",
            "# no comment, } no end, @deprecated(reason: \"no\")",
        ];
        for text in texts {
            let quoted = serde_json::to_string(text).unwrap();
            let toml = format!(
                "[[permission]]\ncode = \"a.b.c\"\ndescription = {quoted}\ndeprecated = {quoted}\n"
            );
            let sdl = sdl(&Arc::new(Catalogue::from_toml(&toml).unwrap()));
            let schema = Schema::parse_and_validate(&sdl, "schema").unwrap();
            let value = &schema.get_enum("Permission").unwrap().values["A_B_C"];
            assert_eq!(value.description.as_deref(), Some(text));
            let deprecated = value.directives.get("deprecated").unwrap();
            let reason = deprecated.specified_argument_by_name("reason").unwrap();
            assert_eq!(**reason, Value::String(text.to_owned()));
        }
    }
}
