//! The JSON of an answer, in pieces that are freed as they are sent.

use std::io;

use super::budget::Reservation;

/// Bytes of a piece.
const PIECE: usize = 32 * 1024;
/// Bytes that most answers have at most.
const USUAL: usize = 512;

/// The JSON of an answer. The memory that it takes up stays reserved until it is dropped.
pub struct Answer {
    pieces: std::vec::IntoIter<Vec<u8>>,
    length: u64,
    _room: Option<Reservation>,
}

impl Answer {
    /// Writes a value, which can always be written as JSON.
    pub(super) fn write(value: &impl serde::Serialize, mut room: Option<Reservation>) -> Self {
        let mut writer = Pieces::new();
        let _always_written = serde_json::to_writer(&mut writer, value);
        let pieces = writer.end();
        let length: usize = pieces.iter().map(Vec::len).sum();
        if let Some(room) = &mut room {
            room.shrink(length);
        }
        Self {
            pieces: pieces.into_iter(),
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

/// Takes the many short writes that JSON is made of.
struct Pieces {
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
}

impl Pieces {
    fn new() -> Self {
        Self { full: Vec::new(), last: Vec::with_capacity(USUAL) }
    }

    /// Makes room for so many bytes where the last piece has none.
    #[cold]
    fn make_room(&mut self, count: usize) {
        if self.last.is_empty() || self.last.len() + count <= PIECE {
            return self.last.reserve(count);
        }
        let next = Vec::with_capacity(PIECE.max(count));
        let mut full = std::mem::replace(&mut self.last, next);
        full.shrink_to_fit();
        self.full.push(full);
    }

    fn end(mut self) -> Vec<Vec<u8>> {
        self.full.push(self.last);
        self.full
    }
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.last.capacity() - self.last.len() < bytes.len() {
            self.make_room(bytes.len());
        }
        self.last.extend_from_slice(bytes);
        Ok(())
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
