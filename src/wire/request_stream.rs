//! Removes offers that the server never accepts from a stream of HTTP/1 requests, in place, before
//! the bytes are read as requests.
//!
//! An offer to change the protocol (RFC 9110 section 7.8) may be ignored, and the connection then
//! goes on. The HTTP library instead answers the option `upgrade` as if it were accepted and closes
//! the connection; after `Upgrade: websocket` it reads all that follows as one body. So the offer
//! is overwritten with blanks, which changes no length. A line that ends without a carriage return
//! is made unreadable, because a proxy on the way may not see the end of a line there (RFC 9112
//! section 2.2).
//!
//! Requests are separated as the library separates them. What is not HTTP is passed on unchanged:
//! the library refuses it and closes the connection.

/// The bytes of one connection, as they come.
#[derive(Debug, Default)]
pub struct RequestStream {
    place: Place,
    /// Was the last byte of a head a carriage return?
    after_cr: bool,
    /// A method, or the name of a field, as far as needed to recognise it.
    word: Vec<u8>,
    length: Option<u64>,
    chunked: bool,
}

/// Longer than every word that matters.
const LONGEST_WORD: usize = 20;

#[derive(Debug, Clone, Copy, Default)]
enum Place {
    /// Before a request, where empty lines may be.
    #[default]
    Start,
    Method,
    RequestLine,
    Name,
    Value(Field),
    HeadEnd,
    Body {
        left: u64,
    },
    ChunkSize {
        size: u64,
    },
    ChunkExtension {
        size: u64,
    },
    Chunk {
        left: u64,
    },
    ChunkEnd,
    Trailer {
        empty: bool,
    },
    /// Not HTTP, or no more requests.
    Through,
}

/// What the value of a field means here.
#[derive(Debug, Clone, Copy)]
enum Field {
    Connection { option: Listed },
    Upgrade,
    ContentLength,
    Other,
}

/// The position in the options of a `Connection` field.
#[derive(Debug, Clone, Copy)]
enum Listed {
    Before,
    Kept,
    Blanked,
}

impl RequestStream {
    /// Passes the next bytes of the connection.
    pub fn pass(&mut self, bytes: &mut [u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match self.place {
                Place::Through => return,
                Place::Body { left } => {
                    self.skip(left, rest.len(), Place::Start, |left| Place::Body { left })
                }
                Place::Chunk { left } => {
                    self.skip(left, rest.len(), Place::ChunkEnd, |left| Place::Chunk { left })
                }
                Place::RequestLine | Place::Value(Field::Other) => self.skip_line(rest),
                _ => rest.first_mut().map_or(0, |byte| {
                    self.step(byte);
                    1
                }),
            };
            rest = rest.split_at_mut(taken).1;
        }
    }

    /// Is the next byte one of a head, or of what is no HTTP?
    pub const fn in_head(&self) -> bool {
        matches!(
            self.place,
            Place::Start
                | Place::Method
                | Place::RequestLine
                | Place::Name
                | Place::Value(_)
                | Place::HeadEnd
                | Place::Through
        )
    }

    /// Skips what is left of a body or chunk.
    fn skip(&mut self, left: u64, here: usize, then: Place, on: impl Fn(u64) -> Place) -> usize {
        let here_u64 = u64::try_from(here).unwrap_or(u64::MAX);
        if left <= here_u64 {
            self.place = then;
            usize::try_from(left).unwrap_or(here)
        } else {
            self.place = on(left - here_u64);
            here
        }
    }

    /// Skips to the end of a line that does not matter here.
    fn skip_line(&mut self, rest: &mut [u8]) -> usize {
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
            self.after_cr = rest.last() == Some(&b'\r');
            return rest.len();
        };
        if let Some(before) = end.checked_sub(1).and_then(|before| rest.get(before)) {
            self.after_cr = *before == b'\r';
        }
        if let Some(byte) = rest.get_mut(end) {
            self.step(byte);
        }
        end + 1
    }

    fn step(&mut self, byte: &mut u8) {
        let in_head = !matches!(
            self.place,
            Place::ChunkSize { .. }
                | Place::ChunkExtension { .. }
                | Place::ChunkEnd
                | Place::Trailer { .. }
        );
        if in_head && *byte == b'\n' && !self.after_cr {
            *byte = 0;
            self.place = Place::Through;
            return;
        }
        self.after_cr = *byte == b'\r';
        self.place = match (self.place, *byte) {
            (Place::Start, b'\r' | b'\n') => Place::Start,
            (Place::Start, _) => {
                self.word.clear();
                self.take(*byte);
                Place::Method
            }
            (Place::Method, b' ') => {
                // What follows the head of a CONNECT is no request.
                let tunnel = self.word.eq_ignore_ascii_case(b"CONNECT");
                if tunnel { Place::Through } else { Place::RequestLine }
            }
            (Place::Method | Place::RequestLine, b'\n') => self.next_line(),
            (Place::Method, _) => {
                self.take(*byte);
                Place::Method
            }
            (Place::RequestLine, _) => Place::RequestLine,
            (Place::Name, b'\r') if self.word.is_empty() => Place::HeadEnd,
            (Place::Name, b':') => self.value(),
            (Place::Name, b'\n') => Place::Through,
            (Place::Name, _) => {
                self.take(*byte);
                Place::Name
            }
            (Place::Value(_), b'\n') => self.next_line(),
            (Place::Value(field), b'\r') => Place::Value(field),
            (Place::Value(field), _) => self.value_byte(field, byte),
            (Place::HeadEnd, b'\n') => self.body(),
            (Place::HeadEnd, _) => Place::Through,
            (Place::ChunkSize { size }, digit) if digit.is_ascii_hexdigit() => {
                let digit = char::from(digit).to_digit(16).map_or(0, u64::from);
                let size = size.checked_mul(16).and_then(|size| size.checked_add(digit));
                size.map_or(Place::Through, |size| Place::ChunkSize { size })
            }
            (Place::ChunkSize { size } | Place::ChunkExtension { size }, b'\n') => match size {
                0 => Place::Trailer { empty: true },
                left => Place::Chunk { left },
            },
            (Place::ChunkSize { size } | Place::ChunkExtension { size }, _) => {
                Place::ChunkExtension { size }
            }
            (Place::ChunkEnd, b'\r') => Place::ChunkEnd,
            (Place::ChunkEnd, b'\n') => Place::ChunkSize { size: 0 },
            (Place::ChunkEnd, _) => Place::Through,
            (Place::Trailer { empty: true }, b'\n') => Place::Start,
            (Place::Trailer { .. }, b'\n') => Place::Trailer { empty: true },
            (Place::Trailer { empty }, b'\r') => Place::Trailer { empty },
            (Place::Trailer { .. }, _) => Place::Trailer { empty: false },
            (place @ (Place::Body { .. } | Place::Chunk { .. } | Place::Through), _) => place,
        };
    }

    fn take(&mut self, byte: u8) {
        if self.word.len() < LONGEST_WORD {
            self.word.push(byte);
        }
    }

    fn next_line(&mut self) -> Place {
        self.word.clear();
        Place::Name
    }

    /// What to do with the value of the field whose name was just read.
    fn value(&mut self) -> Place {
        let is = |name: &str| self.word.eq_ignore_ascii_case(name.as_bytes());
        if is("connection") {
            Place::Value(Field::Connection { option: Listed::Before })
        } else if is("upgrade") {
            Place::Value(Field::Upgrade)
        } else if is("transfer-encoding") {
            self.chunked = true;
            Place::Value(Field::Other)
        } else if is("content-length") {
            if self.length.replace(0).is_some() {
                return Place::Through;
            }
            Place::Value(Field::ContentLength)
        } else {
            Place::Value(Field::Other)
        }
    }

    fn value_byte(&mut self, field: Field, byte: &mut u8) -> Place {
        match field {
            Field::Upgrade => {
                *byte = b' ';
                Place::Value(field)
            }
            Field::Connection { option } => {
                let option = match (option, *byte) {
                    (_, b',') => Listed::Before,
                    (option, b' ' | b'\t') => option,
                    // No other option that matters here begins with `upgrade`.
                    (Listed::Before, b'u' | b'U') => Listed::Blanked,
                    (Listed::Before, _) => Listed::Kept,
                    (option, _) => option,
                };
                if matches!(option, Listed::Blanked) {
                    *byte = b' ';
                }
                Place::Value(Field::Connection { option })
            }
            Field::ContentLength => match *byte {
                b' ' | b'\t' => Place::Value(field),
                digit @ b'0'..=b'9' => {
                    let length = self.length.and_then(|length| length.checked_mul(10));
                    self.length =
                        length.and_then(|length| length.checked_add(u64::from(digit - b'0')));
                    self.length.map_or(Place::Through, |_| Place::Value(field))
                }
                _ => Place::Through,
            },
            Field::Other => Place::Value(field),
        }
    }

    /// What follows a head.
    fn body(&mut self) -> Place {
        let (length, chunked) = (self.length.take(), std::mem::take(&mut self.chunked));
        match length {
            _ if chunked => Place::ChunkSize { size: 0 },
            Some(left) if left > 0 => Place::Body { left },
            _ => Place::Start,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes out, whole and byte by byte alike.
    fn passed(text: &str) -> String {
        let mut whole = text.as_bytes().to_vec();
        RequestStream::default().pass(&mut whole);
        let mut single = text.as_bytes().to_vec();
        let mut stream = RequestStream::default();
        single.chunks_mut(1).for_each(|byte| stream.pass(byte));
        assert_eq!(whole, single, "{text:?}");
        String::from_utf8(whole).unwrap()
    }

    #[test]
    fn offers_are_blanked_out() {
        for (lines, left) in [
            ("Connection: Upgrade\r\nUpgrade: h2c\r\n", "Connection:        \r\nUpgrade:    \r\n"),
            ("connection:upgrade\r\n", "connection:       \r\n"),
            ("CONNECTION: keep-alive, UpGrAdE\r\n", "CONNECTION: keep-alive,        \r\n"),
            ("connection: upgrade , close\r\n", "connection:         , close\r\n"),
            (
                "connection: close\r\nconnection: upgrade\r\n",
                "connection: close\r\nconnection:        \r\n",
            ),
            ("Connection: Upgrade, HTTP2-Settings\r\n", "Connection:        , HTTP2-Settings\r\n"),
            ("upgrade: websocket, h2c\r\n", "upgrade:               \r\n"),
        ] {
            let head = |lines: &str| {
                format!("GET / HTTP/1.1\r\nhost: x\r\n{lines}x-upgrade: upgrade\r\n\r\n")
            };
            assert_eq!(passed(&head(lines)), head(left));
        }
    }

    #[test]
    fn bodies_are_left_alone_and_what_follows_them_is_not() {
        let offer = "\r\nconnection: upgrade\r\n\r\n";
        let (head, blank) = ("GET / HTTP/1.1", "\r\nconnection:        \r\n\r\n");
        let length = offer.len();
        for body in [
            format!("content-length: {length}\r\n\r\n{offer}"),
            format!("Content-Length:{length} \r\n\r\n{offer}"),
            format!("transfer-encoding: chunked\r\n\r\n{length:x};a=b\r\n{offer}\r\n0\r\n\r\n"),
            format!(
                "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n{length:X}\r\n{offer}\r\n0\r\n\r\n"
            ),
            "transfer-encoding: chunked\r\n\r\n0\r\nconnection: upgrade\r\n\r\n".to_owned(),
            "content-length: 0\r\n\r\n".to_owned(),
            "\r\n".to_owned(),
        ] {
            let request = format!("POST / HTTP/1.1\r\n{body}");
            assert_eq!(
                passed(&format!("{request}{head}{offer}")),
                format!("{request}{head}{blank}")
            );
        }
    }

    #[test]
    fn a_line_without_carriage_return_is_made_unreadable() {
        for (text, left) in [
            ("GET / HTTP/1.1\nhost: x\r\n\r\n", "GET / HTTP/1.1\0host: x\r\n\r\n"),
            ("GET / HTTP/1.1\r\nhost: x\n\r\n", "GET / HTTP/1.1\r\nhost: x\0\r\n"),
            ("GET / HTTP/1.1\r\nconnection: x\n\r\n", "GET / HTTP/1.1\r\nconnection: x\0\r\n"),
            ("GET / HTTP/1.1\r\nhost: x\r\n\n", "GET / HTTP/1.1\r\nhost: x\r\n\0"),
            ("\nGET / HTTP/1.1\r\n\r\n", "\0GET / HTTP/1.1\r\n\r\n"),
        ] {
            assert_eq!(passed(text), left);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived_and_none_is_added(mut bytes: Vec<u8>, cut: prop::sample::Index) {
            let length = bytes.len();
            let mut split = bytes.clone();
            RequestStream::default().pass(&mut bytes);
            let mut stream = RequestStream::default();
            let (start, end) = split.split_at_mut(cut.index(length + 1).min(length));
            stream.pass(start);
            stream.pass(end);
            prop_assert_eq!(bytes, split);
        }
    }
}
