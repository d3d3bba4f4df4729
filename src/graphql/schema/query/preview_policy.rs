//! `previewPolicy`: what a change of the policy would refuse, before anybody is refused.

use async_graphql::{ComplexObject, Context, InputObject, Object, SimpleObject};

use crate::domain::filter::{ApiTokenFilter, RefusedBy};
use crate::domain::order::ApiTokenOrder;
use crate::domain::page::PageArguments;
use crate::domain::permission::required;
use crate::domain::policy::Policy;
use crate::graphql::context::{policy, principal, service};
use crate::graphql::error::{GqlError, policy_errors, report_all};
use crate::graphql::schema::argument_errors::ArgumentErrors;
use crate::graphql::schema::complexity;
use crate::graphql::schema::connection::{Connection, list};
use crate::graphql::schema::guard::Needs;
use crate::graphql::schema::types::{ApiToken, PolicyChange, PolicyRule};

/// A change of the policy, under the rules of `updatePolicy`. What is null or left out stays as it is.
#[derive(InputObject)]
struct PreviewPolicyInput {
    #[graphql(flatten)]
    change: PolicyChange,
}

/// What a policy would refuse now, of the tokens that are enabled and whose expiry has not passed.
#[derive(SimpleObject)]
#[graphql(complex)]
struct PolicyPreview {
    /// The rules that would refuse your own token.
    caller_refused_by: Vec<PolicyRule>,
    /// How many tokens are enabled and have not expired, whatever the policy says.
    usable_count: i32,
    /// How many of them each rule would refuse. A token may break several rules.
    rules: Vec<PolicyRuleCount>,
    #[graphql(skip)]
    policy: Policy,
}

/// How many tokens a rule would refuse.
#[derive(SimpleObject)]
struct PolicyRuleCount {
    /// The rule.
    rule: PolicyRule,
    /// The number of tokens.
    count: i32,
}

#[ComplexObject]
impl PolicyPreview {
    /// The tokens that the policy would refuse, the newest first. `refusedBy` of each tells what
    /// refuses it already, by the policy as it is.
    #[graphql(
        complexity = "complexity::of_page(__ctx, __variables_definition, __field, child_complexity)"
    )]
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that this rule would refuse.")] rule: Option<PolicyRule>,
        #[graphql(desc = "How many rows from the start: 1 to 100 (`page_size`), 20 if left out.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor: `endCursor` of the previous page.")]
        after: Option<String>,
        #[graphql(
            desc = "How many rows from the end: 1 to 100. Not with `first` (`first_and_last`)."
        )]
        last: Option<i32>,
        #[graphql(
            desc = "Only rows before this cursor: `startCursor` of the next page, with `last`."
        )]
        before: Option<String>,
    ) -> Result<Option<Connection<ApiToken>>, GqlError> {
        let (service, rules) = (service(ctx)?, policy(ctx)?);
        let mut faults = ArgumentErrors::default();
        let order = ApiTokenOrder::default();
        let page = faults.page(order, &PageArguments { first, after, last, before });
        let page = faults.or_report(ctx, page)?;
        let refused = rule.map_or(self.policy, |rule| self.policy.only(rule.into()));
        let filter =
            ApiTokenFilter { refused_by: Some(RefusedBy(refused)), ..ApiTokenFilter::default() };
        let read = |caller, wanted| service.list_api_tokens(caller, rules, &filter, &page, wanted);
        list(ctx, read, ApiToken::from).await
    }
}

#[derive(Default)]
pub(super) struct PreviewPolicyQuery;

#[Object]
impl PreviewPolicyQuery {
    /// What a change of the policy would refuse now, your own token named first; nothing is changed.
    /// All faults of the input are reported together. Needs api.api-tokens.read.
    #[graphql(guard = "Needs(required::API_TOKENS_READ)")]
    async fn preview_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: PreviewPolicyInput,
    ) -> Result<Option<PolicyPreview>, GqlError> {
        let change = input.change.into();
        let (service, caller) = (service(ctx)?, principal(ctx)?);
        let tried = service.try_policy(caller, &change).await;
        let (policy, counts) = tried.map_err(|error| report_all(ctx, policy_errors(error)))?;
        let own = caller.api_token().map(|own| service.refused_by(&policy, own));
        let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        let rule = |(rule, number): (_, i64)| PolicyRuleCount {
            rule: PolicyRule::from(rule),
            count: count(number),
        };
        Ok(Some(PolicyPreview {
            caller_refused_by: own.into_iter().flatten().map(PolicyRule::from).collect(),
            usable_count: count(counts.usable),
            rules: counts.refused.into_iter().map(rule).collect(),
            policy,
        }))
    }
}
