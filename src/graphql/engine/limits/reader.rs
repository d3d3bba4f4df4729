//! Reads a document once: counts what it is made of and outlines its definitions.

use std::mem;

use super::allowance::Allowances;
use super::lexer::{Lexer, Token};
use super::outline::{Body, Outline, Spread};
use super::{DocumentLimits, LimitExceeded};

/// Outlines a document and counts its tokens, unless it exceeds a limit as it is written.
pub(super) fn read<'a>(
    document: &'a str,
    limits: &DocumentLimits,
) -> Result<(Outline<'a>, usize), LimitExceeded> {
    let mut reader = Reader::new(limits);
    let mut tokens = 0;
    for token in Lexer::new(document) {
        reader.take(token)?;
        tokens += 1;
    }
    Ok((reader.outline, tokens))
}

struct Reader<'a> {
    nesting_limit: usize,
    entry_limit: usize,
    allowances: Allowances,
    /// Open braces of selection sets.
    selection_sets: usize,
    /// Brackets open since the outermost `(` or `[`, within which a brace is an object value: how many
    /// entries each has so far.
    values: Vec<usize>,
    next_name: NextName,
    /// The fragment that is being defined, unless it is an operation.
    fragment: Option<&'a [u8]>,
    body: Body<'a>,
    outline: Outline<'a>,
}

/// What the next name stands for, if the next token is one.
#[derive(Clone, Copy)]
enum NextName {
    /// The keyword of a definition.
    Keyword,
    /// The name of the fragment to define.
    Fragment,
    /// A fragment to spread, or the `on` of an inline fragment.
    Spread,
    /// A field or its alias, if it is in a selection set.
    Field,
    /// Something that the limits do not count.
    Uncounted,
}

impl<'a> Reader<'a> {
    fn new(limits: &DocumentLimits) -> Self {
        Self {
            nesting_limit: limits.nesting,
            entry_limit: limits.entries,
            allowances: Allowances::new(limits),
            selection_sets: 0,
            values: Vec::new(),
            next_name: NextName::Keyword,
            fragment: None,
            body: Body::default(),
            outline: Outline::default(),
        }
    }

    fn take(&mut self, token: Token<'a>) -> Result<(), LimitExceeded> {
        self.allowances.tokens.use_one()?;
        let this_name = mem::replace(&mut self.next_name, NextName::Field);
        match token {
            Token::Name(name) => self.name(name, this_name)?,
            Token::Ellipsis => {
                self.select();
                self.next_name = NextName::Spread;
            }
            Token::At => {
                self.allowances.directives.use_one()?;
                self.next_name = NextName::Uncounted;
            }
            // After an alias comes the name of the same field.
            Token::Colon => {
                self.next_name = NextName::Uncounted;
                self.enter()?;
            }
            Token::OpenBrace if self.values.is_empty() => {
                self.selection_sets = self.selection_sets.saturating_add(1);
                self.opened()?;
            }
            Token::OpenBrace | Token::OpenValues => {
                self.values.push(0);
                self.opened()?;
            }
            Token::Close if self.values.is_empty() => {
                self.selection_sets = self.selection_sets.saturating_sub(1);
                if self.selection_sets == 0 {
                    self.end_definition();
                }
            }
            Token::Close => drop(self.values.pop()),
            // A description may stand before a keyword.
            Token::Other => self.next_name = this_name,
        }
        Ok(())
    }

    fn name(&mut self, name: &'a [u8], stands_for: NextName) -> Result<(), LimitExceeded> {
        match stands_for {
            // The engine takes `fragmentA` for `fragment A`.
            NextName::Keyword => match name.strip_prefix(b"fragment") {
                Some([]) => self.next_name = NextName::Fragment,
                Some(name) => self.begin_fragment(name)?,
                None => {}
            },
            NextName::Fragment => self.begin_fragment(name)?,
            NextName::Spread => {
                // The engine lets a fragment be called `on`, so what looks like an inline fragment
                // may spread it. As long as no fragment has that name, this adds no weight.
                if name == b"on" {
                    self.next_name = NextName::Uncounted;
                } else {
                    self.allowances.spreads.use_one()?;
                }
                let nesting = self.open_brackets();
                self.body.spreads.push(Spread { fragment: name, nesting });
            }
            NextName::Field if self.selection_sets > 0 && self.values.is_empty() => self.select(),
            NextName::Field | NextName::Uncounted => {}
        }
        Ok(())
    }

    fn select(&mut self) {
        self.body.selections = self.body.selections.saturating_add(1);
    }

    /// Counts what stands before a colon, where values are.
    fn enter(&mut self) -> Result<(), LimitExceeded> {
        let Some(entries) = self.values.last_mut() else {
            return Ok(());
        };
        *entries = entries.saturating_add(1);
        if *entries > self.entry_limit {
            return Err(LimitExceeded::Entries { limit: self.entry_limit });
        }
        Ok(())
    }

    fn open_brackets(&self) -> usize {
        self.selection_sets.saturating_add(self.values.len())
    }

    fn opened(&mut self) -> Result<(), LimitExceeded> {
        let open = self.open_brackets();
        if open > self.nesting_limit {
            let limit = self.nesting_limit;
            return Err(LimitExceeded::Nesting { limit });
        }
        self.body.nesting = self.body.nesting.max(open);
        Ok(())
    }

    fn begin_fragment(&mut self, name: &'a [u8]) -> Result<(), LimitExceeded> {
        self.fragment = Some(name);
        self.allowances.fragments.use_one()
    }

    fn end_definition(&mut self) {
        let body = mem::take(&mut self.body);
        match self.fragment.take() {
            Some(name) => self.outline.add_fragment(name, body),
            None => self.outline.add_operation(body),
        }
        self.next_name = NextName::Keyword;
    }
}
