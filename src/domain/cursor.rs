//! The place of a row in a list, and the opaque text that carries it to a client and back.
//!
//! A cursor is not signed. Its content is only compared with rows that the reader may see anyway,
//! so a forged cursor is at most a place without a row. It holds no secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike};
use uuid::Uuid;

use super::clock::Instant;
use super::order::{KeyKind, Sequence};

/// The first byte of every cursor. Another layout gets another number.
const VERSION: u8 = 1;

/// The value that a row is sorted by, before its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The list is ordered by id only.
    Nothing,
    /// An instant.
    Instant(Instant),
    /// A text.
    Text(String),
}

/// A place in a list: that of a row, which may have been deleted since. Places compare as rows do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The value of the field that the list is ordered by.
    pub key: Key,
    /// The id, which decides between equal keys.
    pub id: Uuid,
}

impl Position {
    /// The place before all rows with this key.
    pub const fn before_all_at(key: Instant) -> Self {
        Self { key: Key::Instant(key), id: Uuid::nil() }
    }

    /// The cursor: version, list and order, id, key.
    pub fn to_cursor(&self, sequence: Sequence) -> String {
        let mut bytes = vec![VERSION, sequence.number()];
        bytes.extend_from_slice(self.id.as_bytes());
        match &self.key {
            Key::Nothing => {}
            Key::Instant(instant) => bytes.extend(instant.timestamp_micros().to_be_bytes()),
            Key::Text(text) => bytes.extend_from_slice(text.as_bytes()),
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of this very list and order. `None` for anything else.
    pub fn from_cursor(text: &str, sequence: Sequence) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (head, rest) = bytes.split_first_chunk()?;
        if *head != [VERSION, sequence.number()] {
            return None;
        }
        let (id, key) = rest.split_first_chunk()?;
        let key = match sequence.key_kind() {
            KeyKind::Nothing => key.is_empty().then_some(Key::Nothing),
            KeyKind::Instant => instant(key).map(Key::Instant),
            KeyKind::Text => text_key(key).map(Key::Text),
        };
        Some(Self { key: key?, id: Uuid::from_bytes(*id) })
    }
}

/// An instant whose year no clock shows comes from a forged cursor; PostgreSQL refuses some of
/// them.
fn instant(bytes: &[u8]) -> Option<Instant> {
    let micros = i64::from_be_bytes(bytes.try_into().ok()?);
    DateTime::from_timestamp_micros(micros).filter(|instant| (0..=9999).contains(&instant.year()))
}

/// PostgreSQL has no text with U+0000 in it.
fn text_key(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::order::{ApiTokenOrder, ApiTokenOrderField, Direction};
    use super::*;

    fn sequences() -> Vec<Sequence> {
        use ApiTokenOrderField::{CreationDate, Expiry, LastUsedDate, Name};

        let mut all = vec![Sequence::Users, Sequence::AuditEvents];
        for field in [Name, CreationDate, Expiry, LastUsedDate] {
            for direction in [Direction::Ascending, Direction::Descending] {
                all.push(Sequence::ApiTokens(ApiTokenOrder { field, direction }));
            }
        }
        all
    }

    fn key(sequence: Sequence, micros: i64, text: &str) -> Key {
        match sequence.key_kind() {
            KeyKind::Nothing => Key::Nothing,
            KeyKind::Instant => Key::Instant(DateTime::from_timestamp_micros(micros).unwrap()),
            KeyKind::Text => Key::Text(text.to_owned()),
        }
    }

    proptest! {
        #[test]
        fn a_cursor_leads_back_to_its_place_and_to_no_other_list(
            id: u128,
            micros in 0_i64..4_000_000_000_000_000,
            text in "[^\0]{0,30}",
        ) {
            for sequence in sequences() {
                let key = key(sequence, micros, &text);
                let position = Position { key, id: Uuid::from_u128(id) };
                let cursor = position.to_cursor(sequence);
                for other in sequences() {
                    let read = Position::from_cursor(&cursor, other);
                    prop_assert_eq!(read, (other == sequence).then(|| position.clone()));
                }
            }
        }

        #[test]
        fn no_text_and_no_bytes_do_harm(text: String, bytes: Vec<u8>, number in 10_u8..32) {
            let forged = [&[VERSION, number], &bytes[..]].concat();
            for sequence in sequences() {
                let _ = Position::from_cursor(&text, sequence);
                let _ = Position::from_cursor(&URL_SAFE_NO_PAD.encode(&bytes), sequence);
                let _ = Position::from_cursor(&URL_SAFE_NO_PAD.encode(&forged), sequence);
            }
        }
    }

    #[test]
    fn a_cursor_has_one_spelling() {
        let position = Position { key: Key::Nothing, id: Uuid::from_u128(1) };
        let cursor = position.to_cursor(Sequence::Users);
        assert_eq!(Position::from_cursor(&cursor, Sequence::Users), Some(position));
        for other in [format!("{cursor}="), format!("{cursor}A"), format!(" {cursor}")] {
            assert_eq!(Position::from_cursor(&other, Sequence::Users), None, "{other}");
        }
    }

    #[test]
    fn what_a_database_could_not_compare_is_refused() {
        let forged = |sequence: Sequence, key: &[u8]| {
            let bytes = [&[VERSION, sequence.number()], &[0; 16][..], key].concat();
            Position::from_cursor(&URL_SAFE_NO_PAD.encode(bytes), sequence)
        };
        let name =
            ApiTokenOrder { field: ApiTokenOrderField::Name, direction: Direction::Ascending };
        let name = Sequence::ApiTokens(name);
        assert!(forged(name, b"a").is_some());
        assert_eq!(forged(name, b"a\0"), None);
        assert_eq!(forged(name, b"\xff"), None);
        assert!(forged(Sequence::AuditEvents, &0_i64.to_be_bytes()).is_some());
        for micros in [i64::MIN, -100_000_000_000_000_000, 300_000_000_000_000_000, i64::MAX] {
            assert_eq!(forged(Sequence::AuditEvents, &micros.to_be_bytes()), None, "{micros}");
        }
        assert_eq!(forged(Sequence::AuditEvents, b"1234567"), None);
        assert_eq!(forged(Sequence::Users, b"1"), None);
    }
}
