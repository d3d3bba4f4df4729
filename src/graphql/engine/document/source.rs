//! The text of a document, before it is parsed.
//!
//! One pass of the parsing library's own lexer. It is needed because the library's parser
//! * recurses, and its limit on tokens counts white space: nesting and tokens are bounded here;
//! * looks ahead past white space and comments and not past commas, so that it refuses `a, : b` and
//!   `... , F`. In GraphQL a comma is white space, so it becomes a space in the same place.
//! * silently leaves out what it cannot place, such as `b` in `a(b)`. The places of all words are
//!   kept, so that `measure` can ask whether the tree has them all.

use apollo_parser::{Lexer, TokenKind};

use crate::graphql::engine::limits::{Limit, MAX_NESTING, MAX_TOKENS};
use crate::graphql::engine::lines::Lines;
use crate::graphql::engine::request_error::RequestError;

/// A text within the limits on tokens and nesting, and without a lexical error.
pub(super) struct Source {
    /// With a space for every comma.
    pub(super) text: String,
    /// The offsets of all names, keywords, numbers and strings, in order.
    pub(super) words: Vec<usize>,
    pub(super) tokens: usize,
}

impl Source {
    pub(super) fn read(text: &str) -> Result<Self, RequestError> {
        let mut source =
            Self { text: String::with_capacity(text.len()), words: Vec::new(), tokens: 0 };
        let mut open = 0_usize;
        for token in Lexer::new(text) {
            // Errors of the lexer do not always have a place; the end of the last token is used.
            let place = source.text.len();
            let Ok(token) = token else {
                return Err(RequestError::Syntax(Lines::new(text).pos(place)));
            };
            match token.kind() {
                TokenKind::Eof => break,
                TokenKind::Comma => {
                    source.text.push(' ');
                    continue;
                }
                TokenKind::Whitespace | TokenKind::Comment => {
                    source.text.push_str(token.data());
                    continue;
                }
                TokenKind::LCurly | TokenKind::LParen | TokenKind::LBracket => open += 1,
                TokenKind::RCurly | TokenKind::RParen | TokenKind::RBracket => {
                    open = open.saturating_sub(1);
                }
                TokenKind::Name | TokenKind::Int | TokenKind::Float | TokenKind::StringValue => {
                    source.words.push(place);
                }
                _ => {}
            }
            source.text.push_str(token.data());
            source.tokens += 1;
            if source.tokens > MAX_TOKENS {
                return Err(RequestError::Limit(Limit::Tokens));
            }
            if open > MAX_NESTING {
                return Err(RequestError::Limit(Limit::Nesting));
            }
        }
        Ok(source)
    }
}
