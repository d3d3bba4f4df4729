//! Suggestions for unknown words.

/// How many letters may be added, left out, changed or swapped in one word.
const MOST_ERRORS: usize = 3;

/// The known word that is nearest to this one, if one is near, as the end of a message.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let word = word.to_ascii_lowercase().replace('_', "-");
    let distance = |known: &&str| {
        strsim::damerau_levenshtein(&word, &known.to_ascii_lowercase().replace('_', "-"))
    };
    let near = |known: &&str| distance(known) <= MOST_ERRORS.min(known.len() / 3);
    match known.into_iter().filter(near).min_by_key(distance) {
        Some(known) => format!("; did you mean `{known}`?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_near_and_nothing_else() {
        let known = ["listen", "log", "TOKENWRIGHT_LISTEN", "database-url"];
        for (word, told) in [
            ("lisen", "`listen`"),
            ("TOKENWRIGHT_LISEN", "`TOKENWRIGHT_LISTEN`"),
            ("database_url", "`database-url`"),
            ("LISTEN", "`listen`"),
            ("loq", "`log`"),
            ("server", ""),
            ("x", ""),
        ] {
            let said = did_you_mean(word, known);
            assert!(said.contains(told) && said.is_empty() == told.is_empty(), "{word}: {said}");
        }
    }
}
