//! Who disabled a token, and who may therefore enable it again.
//!
//! Whoever stole a token that could write may hold others. If any token within reach could undo a
//! disabling, the thief's could.

use super::api_token::ApiToken;
use super::principal::Principal;

/// Who disabled a token.
#[derive(Debug, Clone)]
pub enum Disabler {
    /// It is not recorded: an earlier version did it.
    Unknown,
    /// The operator at the command line.
    Operator,
    /// A token, as it is now; it may have been deleted since.
    ApiToken(Box<ApiToken>),
}

impl Disabler {
    /// Is the caller who disabled the token, or do they reach at least as far? No token reaches as
    /// far as the operator, who has the database itself.
    pub fn yields_to(&self, caller: &Principal) -> bool {
        match (self, caller) {
            (_, Principal::Operator) | (Self::Unknown, Principal::ApiToken(_)) => true,
            (Self::Operator, Principal::ApiToken(_)) => false,
            (Self::ApiToken(by), Principal::ApiToken(own)) => by.id == own.id || caller.reaches(by),
        }
    }

    /// Does the caller, who disables a token that is disabled already, take the place of who did it
    /// first? Only if they reach further: otherwise a weaker token could still undo what a stronger
    /// one relies on.
    pub fn gives_way_to(&self, caller: &Principal) -> bool {
        match (self, caller) {
            (Self::Unknown, _) => true,
            (Self::Operator, _) => false,
            (Self::ApiToken(_), Principal::Operator) => true,
            (Self::ApiToken(by), Principal::ApiToken(own)) => {
                caller.reaches(by) && !by.reaches(own)
            }
        }
    }
}
