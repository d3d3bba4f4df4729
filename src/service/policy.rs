//! The policy: reading it, changing it, and what a change would refuse.

use super::failure::ends_with_failure;
use super::{Failure, Service};
use crate::domain::audit::{AuditAction, AuditTarget};
use crate::domain::clock::Instant;
use crate::domain::fault::{Field, InputFault};
use crate::domain::permission::required;
use crate::domain::policy::{Policy, PolicyChange, PolicyRecord, PolicyRule};
use crate::domain::principal::{CallerChanged, Origin, Principal};
use crate::repository::PolicyUpdated;
use crate::service::read::ReadError;

/// How often a change that names no version begins again because of other changes.
const ATTEMPTS: usize = 10;

/// A change of the policy, unchecked.
#[derive(Debug, Clone, Copy)]
pub struct UpdatePolicy {
    /// The version that it is based on; `None`: whichever there is.
    pub version: Option<i32>,
    /// What is to become different.
    pub change: PolicyChange,
    /// Whether it counts even if it refuses whoever makes it.
    pub force: bool,
}

/// Why the policy was not changed. Nothing was, unless it is [`Failure::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum UpdatePolicyError {
    /// It is not at the version that the change is based on.
    #[error("the version is stale; it is {current_version}")]
    Stale {
        /// The version that it is at.
        current_version: i32,
    },
    /// Everything that is wrong with the change.
    #[error("the input has {} fault(s)", .0.len())]
    Refused(Vec<InputFault>),
    /// It failed for a reason that no other input would avoid.
    #[error(transparent)]
    Failed(Failure),
}

ends_with_failure!(UpdatePolicyError);

/// How many of the tokens that can be used a policy refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyCounts {
    /// Tokens that are enabled and whose expiry has not come.
    pub usable: i64,
    /// Those that each rule refuses. A token may break several.
    pub refused: [(PolicyRule, i64); PolicyRule::ALL.len()],
}

impl Service {
    /// The policy.
    ///
    /// # Errors
    /// When the caller may not read tokens, or the database does not answer.
    pub async fn policy(&self, principal: &Principal) -> Result<PolicyRecord, ReadError> {
        principal.require(required::API_TOKENS_READ)?;
        Ok(self.repository.policy().await?)
    }

    /// What the policy would be after a change, and how many tokens it would refuse now. Nothing is
    /// changed.
    ///
    /// # Errors
    /// When the caller may not read tokens, the change has faults, or the database does not answer.
    pub async fn try_policy(
        &self,
        principal: &Principal,
        change: &PolicyChange,
    ) -> Result<(Policy, PolicyCounts), UpdatePolicyError> {
        principal.require(required::API_TOKENS_READ)?;
        let now = self.repository.read_clock().await?;
        let before = self.repository.policy().await?.policy;
        let policy = before.changed(change, now).map_err(UpdatePolicyError::Refused)?;
        let usable = self.repository.count_refused(&policy, None, now).await?;
        let mut refused = PolicyRule::ALL.map(|rule| (rule, 0));
        for (rule, count) in &mut refused {
            *count = self.repository.count_refused(&policy, Some(*rule), now).await?;
        }
        Ok((policy, PolicyCounts { usable, refused }))
    }

    /// Changes the policy. It holds from the next request on, on every instance. A change without
    /// effect leaves the version.
    ///
    /// # Errors
    /// When the caller may not, the change is based on another version or has faults, it would
    /// refuse the caller, or everybody where the operator asks, or something did not answer.
    pub async fn update_policy(
        &self,
        principal: &Principal,
        origin: &Origin,
        wanted: UpdatePolicy,
    ) -> Result<PolicyRecord, UpdatePolicyError> {
        self.may(principal, origin, AuditAction::PolicyUpdated)?;
        self.count_change(principal, self.clock.now()).await?;
        for _ in 0..ATTEMPTS {
            if let Some(record) = self.try_to_update(principal, origin, &wanted).await? {
                return Ok(record);
            }
        }
        let busy = format!("the policy changed {ATTEMPTS} times while it was to be changed");
        Err(Failure::Unavailable(busy).into())
    }

    /// `None` if somebody else changed it meanwhile, and no version was named.
    async fn try_to_update(
        &self,
        principal: &Principal,
        origin: &Origin,
        wanted: &UpdatePolicy,
    ) -> Result<Option<PolicyRecord>, UpdatePolicyError> {
        let now = self.repository.read_clock().await?;
        let before = self.repository.policy().await?;
        let current_version = before.policy.version;
        if wanted.version.is_some_and(|version| version != current_version) {
            return Err(UpdatePolicyError::Stale { current_version });
        }
        let new = before.policy.changed(&wanted.change, now);
        let new = new.map_err(UpdatePolicyError::Refused)?;
        let changes = before.policy.differences(&new);
        if changes.is_empty() {
            return Ok(Some(before));
        }
        if !wanted.force {
            self.ensure_not_locked_out(principal, &before.policy, &new, now).await?;
        }
        let target = AuditTarget::Policy(PolicyRecord::ID);
        let mut event = self.event(AuditAction::PolicyUpdated, target, now, principal, origin)?;
        event.changes = changes;
        match self.repository.update_policy(principal, new, event).await? {
            PolicyUpdated::Done => {
                tracing::info!(by = %principal.user_id(), "policy changed");
                Ok(Some(self.repository.policy().await?))
            }
            PolicyUpdated::CallerChanged => Err(CallerChanged.into()),
            PolicyUpdated::Stale { current_version } if wanted.version.is_some() => {
                Err(UpdatePolicyError::Stale { current_version })
            }
            PolicyUpdated::Stale { .. } => Ok(None),
        }
    }

    /// Refuses a policy that would refuse the token that asks for it, and at the command line one
    /// that would refuse every token that works now.
    async fn ensure_not_locked_out(
        &self,
        principal: &Principal,
        before: &Policy,
        new: &Policy,
        now: Instant,
    ) -> Result<(), UpdatePolicyError> {
        let fault = |reason, message: String| {
            let fault = InputFault::invalid(Field::Force, reason, message);
            Err(UpdatePolicyError::Refused(vec![fault]))
        };
        match principal {
            Principal::ApiToken(own) => {
                let used = || self.last_uses.latest(own.id);
                match new.refusal(own, now, used) {
                    None => Ok(()),
                    Some(rule) => fault(
                        "policy_refuses_caller",
                        format!(
                            "This policy would refuse your own token, which is {rule}; `force` \
                             makes it count all the same."
                        ),
                    ),
                }
            }
            Principal::Operator => {
                let stored = &self.repository;
                if stored.admits_any(new, now).await? || !stored.admits_any(before, now).await? {
                    return Ok(());
                }
                let message = "This policy would refuse every token that works now; `force` makes \
                               it count all the same.";
                fault("policy_refuses_all", message.to_owned())
            }
        }
    }
}
