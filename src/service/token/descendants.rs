//! What came of a token shares its fate, where the caller wants that.
//!
//! Whoever finds a stolen token must be able to end everything that it made. Both ways of ending
//! take power away, so the descendants need not be within the caller's reach, and the caller may be
//! one of them.

use crate::domain::audit::AuditAction;
use crate::domain::clock::Instant;
use crate::domain::fault::{Field, InputFault};
use crate::domain::principal::{Origin, Principal};
use crate::repository::Descendants;
use crate::service::Service;

/// Most descendants that one request ends. They are ended in one transaction, for which other
/// writers wait, and which has a limit in time. The operator, who can raise that limit, has none in
/// number.
const MOST: usize = 5_000;

impl Service {
    /// All descendants, each with an event of this action.
    pub(super) fn descendants(
        &self,
        action: AuditAction,
        date: Instant,
        principal: &Principal,
        origin: &Origin,
    ) -> Descendants {
        let most = match principal {
            Principal::Operator => None,
            Principal::ApiToken(_) => Some(MOST),
        };
        Descendants { most, event: self.events(action, date, principal, origin) }
    }
}

/// There are more of them than one request ends.
pub(super) fn too_many() -> InputFault {
    let message = format!(
        "The token has more than {MOST} descendants; use `tokenwright admin delete-token` or \
         `disable-token` with `--descendants`."
    );
    InputFault::invalid(Field::Descendants, "descendants_too_many", message)
}
