//! Splits a document into the few kinds of token that the limits tell apart.
//!
//! Where the engine's grammar departs from the specification this follows the engine: text that
//! the two read differently would be text that escapes the limits. From the first syntax error on
//! it may yield anything, since the engine reads no further.

/// A token, as far as the limits tell tokens apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name or keyword.
    Name(&'a [u8]),
    /// `...`
    Ellipsis,
    /// `@`
    At,
    /// `:`
    Colon,
    /// `{`
    OpenBrace,
    /// `(` or `[`
    OpenValues,
    /// `}`, `)` or `]`
    Close,
    /// A string, a number, any other punctuator, or a byte that starts no token.
    Other,
}

/// Iterates over the tokens of a document.
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
    /// Whether a block string that starts further on may still have an end.
    block_strings_end: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(document: &'a str) -> Self {
        Self { rest: document.as_bytes(), block_strings_end: true }
    }

    fn skip_ignored(&mut self) {
        loop {
            self.rest = match self.rest {
                [b' ' | b'\t' | b'\n' | b'\r' | b',', rest @ ..]
                | [0xEF, 0xBB, 0xBF, rest @ ..] => rest,
                [b'#', rest @ ..] => skip_while(rest, |byte| !matches!(byte, b'\n' | b'\r')),
                _ => return,
            };
        }
    }

    /// The text after a block string, given the text after its opening quotes.
    ///
    /// Once one search runs to the end of the document every later one would too, so none is made:
    /// a document full of opening quotes costs no more than its length.
    fn after_block_string(&mut self, mut text: &'a [u8]) -> Option<&'a [u8]> {
        while self.block_strings_end {
            text = match text {
                [b'"', b'"', b'"', rest @ ..] => return Some(rest),
                [b'\\', b'"', b'"', b'"', rest @ ..] | [_, rest @ ..] => rest,
                [] => {
                    self.block_strings_end = false;
                    text
                }
            };
        }
        None
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_ignored();
        let (token, rest) = match self.rest {
            [] => return None,
            [b'.', b'.', b'.', rest @ ..] => (Token::Ellipsis, rest),
            [b'@', rest @ ..] => (Token::At, rest),
            [b':', rest @ ..] => (Token::Colon, rest),
            [b'{', rest @ ..] => (Token::OpenBrace, rest),
            [b'(' | b'[', rest @ ..] => (Token::OpenValues, rest),
            [b'}' | b')' | b']', rest @ ..] => (Token::Close, rest),
            // The engine reads an unterminated block string as an empty string and goes on.
            [b'"', b'"', tail @ ..] => {
                let block = tail.strip_prefix(b"\"");
                let rest = block.and_then(|text| self.after_block_string(text));
                (Token::Other, rest.unwrap_or(tail))
            }
            [b'"', rest @ ..] => (Token::Other, after_string(rest)),
            [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => {
                let (name, rest) = split_while(self.rest, is_name_byte);
                (Token::Name(name), rest)
            }
            [b'-', rest @ ..] => (Token::Other, after_number(rest)),
            [b'0'..=b'9', ..] => (Token::Other, after_number(self.rest)),
            [_, rest @ ..] => (Token::Other, rest),
        };
        self.rest = rest;
        Some(token)
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Splits the text before the first byte that the predicate does not hold for.
fn split_while(text: &[u8], holds: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|&byte| !holds(byte));
    text.split_at(end.unwrap_or(text.len()))
}

fn skip_while(text: &[u8], holds: impl Fn(u8) -> bool) -> &[u8] {
    split_while(text, holds).1
}

/// The text after a string, or nothing if the string does not end on its line.
fn after_string(mut text: &[u8]) -> &[u8] {
    loop {
        text = match text {
            [b'"', rest @ ..] => return rest,
            [] | [b'\n' | b'\r', ..] => return &[],
            [b'\\', _, rest @ ..] | [_, rest @ ..] => rest,
        };
    }
}

/// The text after an unsigned number; a leading zero stands alone, so `00` is two numbers.
fn after_number(text: &[u8]) -> &[u8] {
    let digits = |text| skip_while(text, |byte| byte.is_ascii_digit());
    let text = match text {
        [b'0', rest @ ..] => rest,
        _ => digits(text),
    };
    let text = match text {
        [b'.', b'0'..=b'9', rest @ ..] => digits(rest),
        _ => text,
    };
    match text {
        [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] => digits(rest),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::Token::{At, Close, Colon, Ellipsis, Name, OpenBrace, OpenValues, Other};
    use super::*;

    fn tokens(document: &str) -> Vec<Token<'_>> {
        Lexer::new(document).collect()
    }

    #[test]
    fn tells_tokens_apart() {
        assert_eq!(
            tokens("{a_1:b(c:[$d!])@e...on}"),
            [
                OpenBrace,
                Name(b"a_1"),
                Colon,
                Name(b"b"),
                OpenValues,
                Name(b"c"),
                Colon,
                OpenValues,
                Other,
                Name(b"d"),
                Other,
                Close,
                Close,
                At,
                Name(b"e"),
                Ellipsis,
                Name(b"on"),
                Close,
            ]
        );
    }

    #[test]
    fn skips_what_separates_tokens() {
        assert_eq!(tokens("\u{feff} , a\t#b\"\r,c\n#d"), [Name(b"a"), Name(b"c")]);
    }

    #[test]
    fn a_string_is_one_token() {
        for string in [
            r#""""#,
            r#""{é""#,
            r#""\"{""#,
            r#""\\""#,
            r#""""""""#,
            r#"""" "{" "" \""" { \\ """"#,
            "\"\"\"\n#{\n\"\"\"",
        ] {
            let document = format!("{string}a");
            assert_eq!(tokens(&document), [Other, Name(b"a")], "{string}");
        }
    }

    #[test]
    fn an_unterminated_string_ends_the_document() {
        for string in [r#"a"{"#, "a\"{\n{\"", r#"a"\"{"#, r#"a"\"#] {
            assert_eq!(tokens(string), [Name(b"a"), Other], "{string}");
        }
    }

    #[test]
    fn an_unterminated_block_string_is_an_empty_string() {
        assert_eq!(tokens(r#""""b"{"#), [Other, Other, OpenBrace]);
        assert_eq!(tokens(r#""""\"""{"#), [Other, Other, Other]);
    }

    #[test]
    fn many_unterminated_block_strings_take_one_search() {
        let document = r#""\\"""""a"#.repeat(100_000);
        assert_eq!(tokens(&document).len(), 400_000);
    }

    #[test]
    fn a_number_is_one_token() {
        for number in ["0", "-12", "1.50", "1e9", "-0.1E-10", "10.5e+3"] {
            assert_eq!(tokens(number), [Other], "{number}");
        }
        assert_eq!(tokens("00-1"), [Other, Other, Other]);
        assert_eq!(tokens("1...a"), [Other, Ellipsis, Name(b"a")]);
    }
}
