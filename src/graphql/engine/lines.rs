//! Turns an offset into a line and a column, in constant or logarithmic time.

use async_graphql::Pos;

/// Where the lines of a text start.
pub(super) struct Lines {
    /// Offsets.
    starts: Vec<usize>,
    /// How many characters come before each byte; empty where each byte is one.
    characters: Vec<u32>,
    length: usize,
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let after_end = |(index, byte): (usize, &u8)| {
            let ends = match byte {
                b'\n' => true,
                b'\r' => bytes.get(index + 1) != Some(&b'\n'),
                _ => false,
            };
            ends.then_some(index + 1)
        };
        let starts = std::iter::once(0).chain(bytes.iter().enumerate().filter_map(after_end));
        let mut characters = Vec::new();
        if !text.is_ascii() {
            let mut count = 0;
            for byte in bytes {
                characters.push(count);
                // Continuation bytes of UTF-8 start with `10`.
                count += u32::from(byte & 0xC0 != 0x80);
            }
            characters.push(count);
        }
        Self { starts: starts.collect(), characters, length: text.len() }
    }

    /// The place of an offset, in characters from 1 on; the end of the text where it lies beyond.
    pub(super) fn pos(&self, offset: usize) -> Pos {
        let offset = offset.min(self.length);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line)).copied();
        let column = self.count(offset) - self.count(start.unwrap_or_default());
        Pos { line, column: column + 1 }
    }

    fn count(&self, offset: usize) -> usize {
        self.characters.get(offset).map_or(offset, |count| *count as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_has_a_line_and_a_column() {
        let text = "{\r\n é a\rb\nc";
        let lines = Lines::new(text);
        for (part, line, column) in [("{", 1, 1), ("a", 2, 4), ("b", 3, 1), ("c", 4, 1)] {
            assert_eq!(lines.pos(text.find(part).unwrap()), Pos { line, column }, "{part}");
        }
        assert_eq!(lines.pos(999), Pos { line: 4, column: 2 });
        assert_eq!(Lines::new("ab\nc").pos(3), Pos { line: 2, column: 1 });
    }
}
