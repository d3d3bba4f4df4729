//! The token that a caller is about to change, if it is within the caller's reach.

use super::denial::Attempt;
use crate::domain::api_token::{ApiToken, ApiTokenStatus};
use crate::domain::id::ApiTokenId;
use crate::domain::principal::{CallerChanged, Principal};
use crate::service::{Failure, Service};

impl Service {
    /// The current state of a token that the caller is about to change. `None` if it does not exist
    /// or reaches further than the caller; the caller cannot distinguish the two. The caller is
    /// read together with the token, so a caller that changed or ended since it was judged learns
    /// nothing.
    pub(super) async fn within_reach(
        &self,
        attempt: Attempt<'_>,
        id: ApiTokenId,
    ) -> Result<Option<ApiToken>, Failure> {
        let principal = attempt.principal;
        let found = match principal {
            Principal::Operator => self.repository.api_token(id).await?,
            Principal::ApiToken(own) => {
                let found = self.repository.api_tokens_by_id(&[id, own.id]).await?;
                self.ensure_among(own, &found)?;
                found.into_iter().find(|found| found.id == id)
            }
        };
        let within = |found: &ApiToken| {
            let reaches = principal.reaches(found);
            if !reaches {
                self.note_denied(attempt, "out_of_reach", Some(id));
            }
            reaches
        };
        Ok(found.filter(within))
    }

    /// Reads the caller again, for an answer that reads after the caller was judged and that no
    /// transaction stands behind.
    pub(super) async fn ensure_current_caller(&self, principal: &Principal) -> Result<(), Failure> {
        match principal {
            Principal::Operator => Ok(()),
            Principal::ApiToken(own) => {
                self.ensure_among(own, &self.repository.api_tokens_by_id(&[own.id]).await?)
            }
        }
    }

    /// The caller is among these, as it was judged, and may still act.
    fn ensure_among(&self, own: &ApiToken, found: &[ApiToken]) -> Result<(), Failure> {
        let now = self.clock.now();
        let is_current = |found: &ApiToken| {
            found.id == own.id
                && found.version == own.version
                && found.status(now) == ApiTokenStatus::Active
        };
        if found.iter().any(is_current) { Ok(()) } else { Err(CallerChanged.into()) }
    }
}
