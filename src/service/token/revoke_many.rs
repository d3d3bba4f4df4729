//! Revoking many tokens at once, for an incident. It disables them, which can be undone, unlike a
//! deletion: whoever ends a thousand tokens in a hurry also ends some that are needed. Who may undo
//! it is decided as for a single token.
//!
//! It takes power away, so the permission to delete tokens is enough for any token, whatever it
//! reaches, as it is enough to delete them one by one.

use super::denial::Attempt;
use crate::domain::audit::{AuditAction, AuditChange};
use crate::domain::clock::Instant;
use crate::domain::fault::{Field, InputFault};
use crate::domain::filter::{ApiTokenFilter, Window};
use crate::domain::id::{ApiTokenId, RevocationId};
use crate::domain::permission::required;
use crate::domain::policy::Policy;
use crate::domain::principal::{CallerChanged, Origin, Principal};
use crate::domain::revocation::{Choice, Revocation};
use crate::repository::{RevocationRecord, RevokeMany, RevokeOutcome, Revoked};
use crate::service::failure::ends_with_failure;
use crate::service::{Failure, Service};

/// Most tokens that one transaction ends. Other writers wait for it, and it has a limit in time.
const MOST: usize = 100_000;

/// What a revocation has done, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevokedApiTokens {
    /// The run, which each of its audit events names; none if nothing was changed.
    pub id: Option<RevocationId>,
    /// How many tokens were revoked, or would be.
    pub count: usize,
    /// How many others of those chosen are disabled already, and stay so.
    pub already_disabled: usize,
    /// Whether the caller's own token was chosen, but not by its id, and left out.
    pub own_left_out: bool,
}

/// Why no token was revoked. Nothing was changed, unless it is [`Failure::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum RevokeApiTokensError {
    /// Another number of tokens would be revoked than expected.
    #[error("{current_count} tokens would be revoked, which is not the expected number")]
    Stale {
        /// How many would be.
        current_count: usize,
    },
    /// Everything that is wrong with the input.
    #[error("the input has {} fault(s)", .0.len())]
    Refused(Vec<InputFault>),
    /// It failed for a reason that no other input would avoid.
    #[error(transparent)]
    Failed(Failure),
}

ends_with_failure!(RevokeApiTokensError);

impl Service {
    /// What a revocation would do now. Nothing is changed.
    ///
    /// # Errors
    /// As for the revocation itself.
    pub async fn try_revocation(
        &self,
        principal: &Principal,
        origin: &Origin,
        policy: &Policy,
        revocation: Revocation,
    ) -> Result<RevokedApiTokens, RevokeApiTokensError> {
        self.may_revoke(principal, origin, true)?;
        let wanted = self.wanted(policy, revocation.clone(), None);
        let outcome = self.repository.try_revocation(principal, wanted).await?;
        // No transaction stands behind what was read.
        self.ensure_current_caller(principal).await?;
        Ok(told(None, done(outcome, &revocation)?))
    }

    /// Disables the chosen tokens, all at once: from the next request on each of them is refused, on
    /// every instance.
    ///
    /// # Errors
    /// When the caller may not, a token that it names does not exist or was deleted, there are too
    /// many, another number is expected, or something did not answer.
    pub async fn revoke_api_tokens(
        &self,
        principal: &Principal,
        origin: &Origin,
        policy: &Policy,
        revocation: Revocation,
    ) -> Result<RevokedApiTokens, RevokeApiTokensError> {
        self.may_revoke(principal, origin, revocation.counts())?;
        let id = RevocationId::generate(self.clock.now(), self.random())?;
        let revoked = self.revoke_part(principal, origin, policy, &revocation, id, None).await?;
        let told = told(Some(id), revoked);
        note(principal, &told);
        Ok(told)
    }

    /// Disables the tokens that were created before this instant, as the operator, and reports how
    /// many after each step. Up to a hundred thousand are one step; each step stays done.
    ///
    /// # Errors
    /// When something did not answer.
    pub async fn revoke_created_before(
        &self,
        before: Instant,
        mut report: impl FnMut(usize),
    ) -> Result<RevocationId, RevokeApiTokensError> {
        let (principal, origin) = (Principal::Operator, Origin::default());
        let created = Window::default().before(before);
        let filter = ApiTokenFilter { created, ..ApiTokenFilter::default() };
        let choice = Choice::Filter(Box::new(filter));
        let revocation =
            Revocation { choice, except: Vec::new(), expected_count: None, reason: None };
        let id = RevocationId::generate(self.clock.now(), self.random())?;
        let mut after = Some(ApiTokenId::from_uuid(uuid::Uuid::nil()));
        while after.is_some() {
            // Whether a policy refuses a token now makes no difference: it may change again.
            let policy = Policy::default();
            let step = self.revoke_part(&principal, &origin, &policy, &revocation, id, after);
            let step = step.await?;
            after = step.next;
            let told = told(Some(id), step);
            note(&principal, &told);
            report(told.count);
        }
        Ok(id)
    }

    /// Whoever learns how many tokens are so and so also needs the permission to read them.
    fn may_revoke(
        &self,
        principal: &Principal,
        origin: &Origin,
        counts: bool,
    ) -> Result<(), Failure> {
        let action = AuditAction::ApiTokenRevoked;
        self.may(principal, origin, action)?;
        if counts && let Err(missing) = principal.require(required::API_TOKENS_READ) {
            self.note_denied(Attempt { principal, origin, action }, "permission_missing", None);
            return Err(missing.into());
        }
        Ok(())
    }

    async fn revoke_part(
        &self,
        principal: &Principal,
        origin: &Origin,
        policy: &Policy,
        revocation: &Revocation,
        id: RevocationId,
        after: Option<ApiTokenId>,
    ) -> Result<Revoked, RevokeApiTokensError> {
        let wanted = self.wanted(policy, revocation.clone(), after);
        let mut notes = vec![AuditChange::set("revocation", id.to_string())];
        notes.extend(revocation.reason.as_ref().map(|text| AuditChange::set("reason", text)));
        let event = self.events(AuditAction::ApiTokenRevoked, wanted.now, principal, origin);
        let record = RevocationRecord { event, notes };
        done(self.repository.revoke_many(principal, wanted, record).await?, revocation)
    }

    fn wanted(
        &self,
        policy: &Policy,
        revocation: Revocation,
        after: Option<ApiTokenId>,
    ) -> RevokeMany {
        RevokeMany { revocation, policy: *policy, now: self.clock.now(), most: MOST, after }
    }
}

fn done(outcome: RevokeOutcome, revocation: &Revocation) -> Result<Revoked, RevokeApiTokensError> {
    match outcome {
        RevokeOutcome::Done(revoked) => Ok(revoked),
        RevokeOutcome::CallerChanged => Err(CallerChanged.into()),
        RevokeOutcome::Unexpected { count } => {
            Err(RevokeApiTokensError::Stale { current_count: count })
        }
        RevokeOutcome::TooMany => {
            let message = format!(
                "More than {MOST} tokens are chosen; narrow the filter, or use `tokenwright admin \
                 revoke`."
            );
            let fault = InputFault::invalid(revocation.field(), "revocation_too_large", message);
            Err(RevokeApiTokensError::Refused(vec![fault]))
        }
        RevokeOutcome::Missing(missing) => {
            let named = revocation.named().filter(|(.., id)| missing.contains(id));
            let fault = |(field, index, _): (Field, usize, ApiTokenId)| {
                let message = "There is no API token with this id, or it was deleted.";
                InputFault::missing(field, "api_token_missing", message).at(index)
            };
            Err(RevokeApiTokensError::Refused(named.map(fault).collect()))
        }
    }
}

fn told(id: Option<RevocationId>, revoked: Revoked) -> RevokedApiTokens {
    let Revoked { count, already_disabled, own_left_out, next: _ } = revoked;
    let id = id.filter(|_| count > 0);
    RevokedApiTokens { id, count, already_disabled, own_left_out }
}

fn note(principal: &Principal, revoked: &RevokedApiTokens) {
    if let Some(id) = revoked.id {
        tracing::info!(revocation_id = %id, count = revoked.count, by = %principal.user_id(),
            "API tokens revoked");
    }
}
