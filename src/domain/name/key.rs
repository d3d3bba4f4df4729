//! When two names are the same.

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;
use icu_properties::props::{BinaryProperty, DefaultIgnorableCodePoint};

/// The version of the rules by which keys are made. Keys of an earlier version are computed again
/// at the start.
pub const KEY_VERSION: i32 = 1;

/// The key of a stored name, which may be older than a rule that would refuse it now.
pub fn stored_key(name: &str) -> String {
    comparison_key(name)
}

/// `NFKC_Casefold` (Unicode, section 3.13, definition D146, and UAX #31) of the visible text:
/// without invisible characters, and without the white space around it.
pub(super) fn comparison_key(text: &str) -> String {
    let nfkc = ComposingNormalizer::new_nfkc();
    let seen = nfkc.normalize(&seen(text)).trim().to_owned();
    // Folding can produce a text that is not normalized.
    let folded = CaseMapper::new().fold_string(&seen).into_owned();
    nfkc.normalize(&folded).into_owned()
}

/// A text without the characters that show nothing.
pub(super) fn seen(text: &str) -> String {
    text.chars().filter(|character| !is_invisible(*character)).collect()
}

/// Ignorable characters, and those that show nothing although Unicode does not count them as
/// ignorable: the braille pattern without a dot, and the marks around interlinear annotations.
pub(super) fn is_invisible(character: char) -> bool {
    DefaultIgnorableCodePoint::for_char(character)
        || matches!(character, '\u{2800}' | '\u{fff9}'..='\u{fffb}')
}
