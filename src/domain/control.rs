//! Characters that no text of a client may hold.

use icu_properties::props::{
    BidiControl, BinaryProperty, EnumeratedProperty, GeneralCategory, NoncharacterCodePoint,
};

/// Control characters, the two line separators, the characters that change the writing direction,
/// with which a text could pose as another in a log or a list, and noncharacters. Characters that
/// Unicode has not assigned yet are allowed: a newer version may assign them.
pub fn is_control(character: char) -> bool {
    use GeneralCategory::{Control, LineSeparator, ParagraphSeparator};

    matches!(GeneralCategory::for_char(character), Control | LineSeparator | ParagraphSeparator)
        || BidiControl::for_char(character)
        || NoncharacterCodePoint::for_char(character)
}
