//! `revokeApiTokens`.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::domain::audit::AuditAction;
use crate::domain::revocation::RequestedRevocation;
use crate::graphql::context::{origin, policy, principal, service};
use crate::graphql::error::{GqlError, report_all, revocation_errors};
use crate::graphql::schema::argument_errors::ArgumentErrors;
use crate::graphql::schema::guard::MayChange;
use crate::graphql::schema::query::ApiTokenFilter;

/// Which API tokens to revoke: `filter`, `ids` or `everything`, one of them.
#[derive(InputObject)]
struct RevokeApiTokensInput {
    /// The tokens that meet this filter, apart from your own. An empty filter is refused
    /// (`everything_not_confirmed`).
    filter: Option<ApiTokenFilter>,
    /// The tokens with these ids, `tok_...`: 1 to 1,000. If one of them does not exist or was
    /// deleted, nothing is done (NOT_FOUND, `api_token_missing`, with its `index`). Your own token is
    /// revoked if it is named here, and only then.
    ids: Option<Vec<ID>>,
    /// True: all tokens, apart from your own.
    #[graphql(default = false)]
    everything: bool,
    /// The ids of tokens to leave out: at most 1,000. All must be there, as for `ids`.
    #[graphql(default)]
    except: Vec<ID>,
    /// True: nothing is changed; the payload tells what would be.
    #[graphql(default = false)]
    dry_run: bool,
    /// The `count` of a dry run. If it is another number now, nothing is done: CONFLICT with the
    /// reason `count_stale`, and the number in `extensions.currentCount`.
    expected_count: Option<i32>,
    /// Why, for the audit events: a line of 1 to 200 characters.
    reason: Option<String>,
}

/// What was revoked, or would be.
#[derive(SimpleObject)]
struct RevokeApiTokensPayload {
    /// Identifies this revocation, `rev_...`: each of its audit events names it. Null after a dry
    /// run, and if there was nothing to revoke.
    revocation_id: Option<ID>,
    /// How many tokens were revoked; after a dry run, how many would be.
    count: i32,
    /// How many others were chosen, but were disabled already. They stay so, by who did it.
    already_disabled_count: i32,
    /// Whether `filter` or `everything` chose your own token, too. It was left out.
    own_api_token_left_out: bool,
}

#[derive(Default)]
pub(super) struct RevokeApiTokensMutation;

#[Object]
impl RevokeApiTokensMutation {
    /// Revokes many API tokens at once: disables all that are chosen and not deleted, expired ones
    /// included, whatever they reach. It is done for all of them or for none, and counts from the
    /// next request on, on every instance. A token that is disabled already counts only if you reach
    /// further than who disabled it: you take their place. Tokens that are created later are not
    /// concerned. Undo it with `updateApiToken`, token by token, under its rules. At most 100,000
    /// tokens (`revocation_too_large`). Each has an audit event, API_TOKEN_REVOKED. Needs
    /// api.api-tokens.delete; unless you only name `ids`, without `dryRun` and `expectedCount`, also
    /// api.api-tokens.read, as it counts tokens.
    #[graphql(guard = "MayChange(AuditAction::ApiTokenRevoked)")]
    async fn revoke_api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tokens to revoke.")] input: RevokeApiTokensInput,
    ) -> Result<Option<RevokeApiTokensPayload>, GqlError> {
        let service = service(ctx)?;
        let RevokeApiTokensInput {
            filter,
            ids,
            everything,
            except,
            dry_run,
            expected_count,
            reason,
        } = input;
        let mut faults = ArgumentErrors::default();
        let texts = |ids: Vec<ID>| ids.into_iter().map(|id| id.0).collect();
        let asked = RequestedRevocation {
            ids: ids.map(texts),
            filter: filter.unwrap_or_default().checked(&mut faults, service.catalogue()),
            everything,
            except: texts(except),
            expected_count,
            reason,
        };
        // A filter that is at fault is not an empty one.
        let checked = if faults.is_empty() { faults.check_all(asked.check()) } else { None };
        let revocation = faults.or_report(ctx, checked)?;
        let (caller, origin, policy) = (principal(ctx)?, origin(ctx)?, policy(ctx)?);
        let revoked = if dry_run {
            service.try_revocation(caller, origin, policy, revocation).await
        } else {
            service.revoke_api_tokens(caller, origin, policy, revocation).await
        };
        let revoked = revoked.map_err(|error| report_all(ctx, revocation_errors(error)))?;
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        Ok(Some(RevokeApiTokensPayload {
            revocation_id: revoked.id.map(ID::from),
            count: number(revoked.count),
            already_disabled_count: number(revoked.already_disabled),
            own_api_token_left_out: revoked.own_left_out,
        }))
    }
}
