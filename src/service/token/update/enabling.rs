//! Disabling a token, and who may undo that.

use super::UpdateApiToken;
use crate::domain::api_token::ApiToken;
use crate::domain::fault::{Field, InputFault};
use crate::domain::principal::Principal;
use crate::service::token::input::Found;
use crate::service::{Failure, Service};

/// What the caller may do about the disabling of a token that is disabled.
pub(super) struct Disabling {
    /// Whether the caller may undo it.
    may_undo: bool,
    /// Whether the caller takes the place of who did it.
    takes_over: bool,
}

impl Service {
    /// What the caller may do about the disabling of this token; `None` if it is enabled, or the
    /// caller does not ask. What is read after the token counts only if the token is still at its
    /// version when it is changed.
    pub(super) async fn disabling(
        &self,
        principal: &Principal,
        token: &ApiToken,
        wanted: Option<bool>,
    ) -> Result<Option<Disabling>, Failure> {
        if token.enabled || wanted.is_none() {
            return Ok(None);
        }
        let disabler = self.repository.disabler(token.id).await?;
        let descends = match principal {
            Principal::Operator => false,
            Principal::ApiToken(own) => self.repository.descends_from(own.id, token.id).await?,
        };
        Ok(Some(Disabling {
            may_undo: !descends && disabler.yields_to(principal),
            takes_over: disabler.gives_way_to(principal),
        }))
    }
}

/// The new value; `None` if nothing changes. To disable a token again is a change where the caller
/// takes the place of who did it first.
pub(super) fn enabled(
    wanted: &UpdateApiToken,
    disabling: Option<Disabling>,
) -> Found<Option<bool>> {
    match (wanted.enabled, disabling) {
        (Some(true), Some(Disabling { may_undo: false, .. })) => {
            let message = "The token was disabled by one that reaches further than you, on the \
                           command line, or you descend from it; it is enabled by who disabled \
                           it, by a token that reaches as far as that one, or by `tokenwright \
                           admin enable-token`.";
            let reason = "enabling_beyond_reach";
            Err(vec![InputFault::beyond_reach(Field::Enabled, reason, message)])
        }
        (Some(true), Some(_)) => Ok(Some(true)),
        (Some(false), Some(Disabling { takes_over, .. })) => Ok(takes_over.then_some(false)),
        (Some(false), None) => Ok(Some(false)),
        (Some(true) | None, None) | (None, Some(_)) => Ok(None),
    }
}

/// Descendants are disabled with a token, but not enabled: each may have been disabled for a reason
/// of its own.
pub(super) fn descendants(wanted: &UpdateApiToken) -> Found<()> {
    if !wanted.descendants || wanted.enabled == Some(false) {
        return Ok(());
    }
    let message = "Descendants can only be disabled together with the token: set `enabled` to \
                   false, or leave `descendants` out.";
    Err(vec![InputFault::invalid(Field::Descendants, "descendants_not_disabled", message)])
}
