//! `updatePolicy`.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use crate::domain::audit::AuditAction;
use crate::graphql::context::{origin, principal, service};
use crate::graphql::error::{GqlError, policy_errors, report_all};
use crate::graphql::schema::guard::MayChange;
use crate::graphql::schema::types::{Policy, PolicyChange};
use crate::service::UpdatePolicy;

/// The changes to the policy. What is null or left out stays unchanged.
#[derive(InputObject)]
struct UpdatePolicyInput {
    /// The version that you last read. CONFLICT with the reason `version_stale` if the policy has
    /// changed since; `extensions.currentVersion` is its current version.
    version: i32,
    #[graphql(flatten)]
    change: PolicyChange,
    /// A policy that would refuse your own token is refused (`policy_refuses_caller`) unless this
    /// is true. What only the command line can undo is easily done.
    #[graphql(default = false)]
    force: bool,
}

/// The changed policy.
#[derive(SimpleObject)]
struct UpdatePolicyPayload {
    /// The policy as it is now.
    policy: Policy,
}

#[derive(Default)]
pub(super) struct UpdatePolicyMutation;

#[Object]
impl UpdatePolicyMutation {
    /// Changes the policy, from the next request on, on every instance. A change without effect
    /// leaves the version unchanged. All faults of the input are reported together, each with its
    /// `field` and `reason`. Needs api.policy.write.
    #[graphql(guard = "MayChange(AuditAction::PolicyUpdated)")]
    async fn update_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdatePolicyInput,
    ) -> Result<Option<UpdatePolicyPayload>, GqlError> {
        let change = input.change.into();
        let wanted = UpdatePolicy { version: Some(input.version), change, force: input.force };
        let changed = service(ctx)?.update_policy(principal(ctx)?, origin(ctx)?, wanted).await;
        let changed = changed.map_err(|error| report_all(ctx, policy_errors(error)))?;
        Ok(Some(UpdatePolicyPayload { policy: Policy(changed) }))
    }
}
