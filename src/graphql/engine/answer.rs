//! The JSON of an answer, in pieces that are freed as they are sent.

use std::io;

use super::budget::Reservation;

/// Bytes of a piece.
const PIECE: usize = 32 * 1024;

/// The JSON of an answer. The memory that it takes up stays reserved until it is dropped.
pub struct Answer {
    pieces: std::vec::IntoIter<Vec<u8>>,
    length: u64,
    _room: Option<Reservation>,
}

impl Answer {
    /// Writes a value, which can always be written as JSON.
    pub(super) fn write(value: &impl serde::Serialize, mut room: Option<Reservation>) -> Self {
        let mut writer = Pieces::default();
        let _always_written = serde_json::to_writer(&mut writer, value);
        let length: usize = writer.0.iter().map(Vec::len).sum();
        if let Some(room) = &mut room {
            room.shrink(length);
        }
        Self {
            pieces: writer.0.into_iter(),
            length: length.try_into().unwrap_or(u64::MAX),
            _room: room,
        }
    }

    /// The length of the whole answer in bytes.
    pub const fn length(&self) -> u64 {
        self.length
    }
}

impl Iterator for Answer {
    type Item = Vec<u8>;

    /// The next piece.
    fn next(&mut self) -> Option<Vec<u8>> {
        self.pieces.next()
    }
}

#[derive(Default)]
struct Pieces(Vec<Vec<u8>>);

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.last_mut() {
            Some(last) if last.len() + bytes.len() <= PIECE => last.extend_from_slice(bytes),
            Some(full) => {
                full.shrink_to_fit();
                let mut next = Vec::with_capacity(PIECE.max(bytes.len()));
                next.extend_from_slice(bytes);
                self.0.push(next);
            }
            None => self.0.push(bytes.to_vec()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_whole() {
        for count in [0, 1, 20_000] {
            let value = vec!["some text"; count];
            let answer = Answer::write(&value, None);
            let length = answer.length();
            let whole: Vec<u8> = answer.flatten().collect();
            assert_eq!(length, whole.len() as u64);
            assert_eq!(whole, serde_json::to_vec(&value).unwrap());
        }
    }
}
