//! Counts what a document uses up of its limits.

use super::{DocumentLimits, LimitExceeded};

/// What a document may still have of everything that is counted.
pub(super) struct Allowances {
    pub(super) tokens: Allowance,
    pub(super) fragments: Allowance,
    pub(super) spreads: Allowance,
    pub(super) directives: Allowance,
}

/// How many of one thing a document may still have.
pub(super) struct Allowance {
    left: usize,
    exceeded: LimitExceeded,
}

impl Allowances {
    pub(super) fn new(limits: &DocumentLimits) -> Self {
        let allow = |limit, exceeded: fn(usize) -> LimitExceeded| Allowance {
            left: limit,
            exceeded: exceeded(limit),
        };
        Self {
            tokens: allow(limits.tokens, |limit| LimitExceeded::Tokens { limit }),
            fragments: allow(limits.fragments, |limit| LimitExceeded::Fragments { limit }),
            spreads: allow(limits.spreads, |limit| LimitExceeded::Spreads { limit }),
            directives: allow(limits.directives, |limit| LimitExceeded::Directives { limit }),
        }
    }
}

impl Allowance {
    pub(super) fn use_one(&mut self) -> Result<(), LimitExceeded> {
        self.left = self.left.checked_sub(1).ok_or(self.exceeded)?;
        Ok(())
    }
}
