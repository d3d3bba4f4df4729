//! Removes offers that the server does not accept from a stream of HTTP/1 requests, in place,
//! before the bytes are read as requests.
//!
//! An offer to change the protocol (RFC 9110 section 7.8) may be ignored, and the connection then
//! goes on. The HTTP library instead answers the option `upgrade` as if it were accepted and closes
//! the connection; after `Upgrade: websocket` it reads all that follows as one body. So the offer
//! is overwritten with blanks, which changes no length. A line that ends without a carriage return
//! is made unreadable, because a proxy on the way may not see the end of a line there (RFC 9112
//! section 2.2).
//!
//! The one offer that may be accepted is that of a WebSocket where GraphQL is. There, `Upgrade:
//! websocket` stays, and the option is replaced by [`OFFERED`], which the library does not know:
//! whoever accepts the offer looks for that.
//!
//! Requests are separated as the library separates them. What is not HTTP is passed on unchanged:
//! the library refuses it and closes the connection.

/// What stands in the field `Connection` where a client offers an upgrade that may be accepted.
pub const OFFERED: &str = "offered";
/// The protocol that may be accepted.
const WEBSOCKET: &[u8] = b"websocket";

/// Which offers are not removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Upgrades {
    /// None.
    #[default]
    None,
    /// That of a WebSocket in a GET of this path.
    WebSocketAt(&'static str),
}

/// The bytes of one connection, as they come.
#[derive(Debug, Default)]
pub struct RequestStream {
    upgrades: Upgrades,
    place: Place,
    /// May the offers of this request be accepted?
    may_upgrade: bool,
    /// A WebSocket was offered, and all that follows the head belongs to it.
    upgrades_now: bool,
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
    /// So many characters of the path that matters were read.
    Target {
        matched: usize,
    },
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
    /// A WebSocket.
    Upgraded,
    /// Not HTTP, or no more requests.
    Through,
}

/// What the value of a field means here.
#[derive(Debug, Clone, Copy)]
enum Field {
    Connection {
        option: Listed,
    },
    Upgrade,
    /// So many characters of [`WEBSOCKET`] were read.
    Offer {
        matched: usize,
    },
    ContentLength,
    Other,
}

/// The position in the options of a `Connection` field.
#[derive(Debug, Clone, Copy)]
enum Listed {
    Before,
    Kept,
    Blanked,
    /// So many characters of [`OFFERED`] stand in its place.
    Offered {
        written: usize,
    },
}

impl RequestStream {
    /// The bytes of a new connection.
    pub fn new(upgrades: Upgrades) -> Self {
        Self { upgrades, ..Self::default() }
    }

    /// Has it become a WebSocket?
    pub const fn is_upgraded(&self) -> bool {
        matches!(self.place, Place::Upgraded)
    }

    /// Passes the next bytes of the connection.
    pub fn pass(&mut self, bytes: &mut [u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match self.place {
                Place::Through | Place::Upgraded => return,
                Place::Body { left } => {
                    self.skip(left, rest.len(), Place::Start, |left| Place::Body { left })
                }
                Place::Chunk { left } => {
                    self.skip(left, rest.len(), Place::ChunkEnd, |left| Place::Chunk { left })
                }
                Place::RequestLine | Place::Value(Field::Other) => self.skip_line(rest),
                Place::Name => self.name(rest),
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
                | Place::Target { .. }
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

    /// Takes what is here of the name of a field.
    fn name(&mut self, rest: &mut [u8]) -> usize {
        let ends = |byte: &u8| matches!(byte, b':' | b'\r' | b'\n');
        let here = rest.iter().position(ends).unwrap_or(rest.len());
        if here == 0 {
            return rest.first_mut().map_or(0, |byte| {
                self.step(byte);
                1
            });
        }
        let room = LONGEST_WORD.saturating_sub(self.word.len());
        self.word.extend_from_slice(rest.get(..here.min(room)).unwrap_or_default());
        self.after_cr = false;
        here
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
                (self.may_upgrade, self.upgrades_now) = (false, false);
                match self.upgrades {
                    _ if tunnel => Place::Through,
                    Upgrades::WebSocketAt(_) if self.word == b"GET" => Place::Target { matched: 0 },
                    _ => Place::RequestLine,
                }
            }
            (Place::Method | Place::Target { .. } | Place::RequestLine, b'\n') => self.next_line(),
            (Place::Target { matched }, byte) => self.target(matched, byte),
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
            (Place::Value(field), b'\n') => {
                self.upgrades_now |=
                    matches!(field, Field::Offer { matched } if matched == WEBSOCKET.len());
                self.next_line()
            }
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
            (place @ (Place::Body { .. } | Place::Chunk { .. }), _) => place,
            (place @ (Place::Upgraded | Place::Through), _) => place,
        };
    }

    /// Compares the path of a request with the one that matters.
    fn target(&mut self, matched: usize, byte: u8) -> Place {
        let Upgrades::WebSocketAt(path) = self.upgrades else { return Place::RequestLine };
        match path.as_bytes().get(matched) {
            Some(expected) if *expected == byte => Place::Target { matched: matched + 1 },
            None if matches!(byte, b' ' | b'?') => {
                self.may_upgrade = true;
                Place::RequestLine
            }
            _ => Place::RequestLine,
        }
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
        } else if is("upgrade") && self.may_upgrade {
            Place::Value(Field::Offer { matched: 0 })
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
            Field::Offer { matched } => {
                Place::Value(Field::Offer { matched: offer(matched, byte) })
            }
            Field::Connection { option } => {
                let option = match (option, *byte) {
                    (_, b',') => Listed::Before,
                    (option, b' ' | b'\t') => option,
                    (Listed::Before, b'u' | b'U') if self.may_upgrade => {
                        Listed::Offered { written: 0 }
                    }
                    // No other option that matters here begins with `upgrade`.
                    (Listed::Before, b'u' | b'U') => Listed::Blanked,
                    (Listed::Before, _) => Listed::Kept,
                    (option, _) => option,
                };
                let option = match option {
                    Listed::Blanked => {
                        *byte = b' ';
                        option
                    }
                    Listed::Offered { written } if !matches!(*byte, b' ' | b'\t') => {
                        // A longer option that begins alike is none that matters.
                        *byte = OFFERED.as_bytes().get(written).copied().unwrap_or(b'-');
                        Listed::Offered { written: written + 1 }
                    }
                    option => option,
                };
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
            _ if std::mem::take(&mut self.upgrades_now) => Place::Upgraded,
            Some(left) if left > 0 => Place::Body { left },
            _ => Place::Start,
        }
    }
}

/// Passes the name of the protocol that may be accepted, and overwrites every other one. How much
/// of the name was read.
fn offer(matched: usize, byte: &mut u8) -> usize {
    const REFUSED: usize = usize::MAX;
    let is_blank = matches!(*byte, b' ' | b'\t');
    if matched == REFUSED {
        *byte = b' ';
        return REFUSED;
    }
    if is_blank && (matched == 0 || matched == WEBSOCKET.len()) {
        return matched;
    }
    if WEBSOCKET.get(matched).is_some_and(|expected| byte.eq_ignore_ascii_case(expected)) {
        return matched + 1;
    }
    // What was passed of it must not be the whole name.
    *byte = if matched == WEBSOCKET.len() { b'!' } else { b' ' };
    REFUSED
}

#[cfg(test)]
mod tests;
