//! `apiTokens`: the list of tokens.

use async_graphql::{Context, Enum, ID, InputObject, Object};

use crate::domain::fault::{Field, FilterField, InputFault};
use crate::domain::label::Labels;
use crate::domain::name::NamePart;
use crate::domain::order;
use crate::domain::page::PageArguments;
use crate::domain::permission::{PermissionCode, PermissionSet, required};
use crate::domain::{catalogue::Catalogue, filter};
use crate::graphql::context::{policy, service};
use crate::graphql::error::GqlError;
use crate::graphql::schema::argument_errors::ArgumentErrors;
use crate::graphql::schema::complexity;
use crate::graphql::schema::connection::{Connection, list};
use crate::graphql::schema::guard::Needs;
use crate::graphql::schema::permission::Permission;
use crate::graphql::schema::scalars::DateTime;
use crate::graphql::schema::types::{ApiToken, ApiTokenStatus, LabelInput};

/// Which API tokens to list. A row must meet all conditions. What is null or left out restricts
/// nothing, and neither does an empty list.
#[derive(InputObject, Default)]
pub(in crate::graphql::schema) struct ApiTokenFilter {
    /// Tokens whose name contains this text; case, compatible characters and surrounding white
    /// space do not matter. At most 200 characters; there are no wildcards.
    name_contains: Option<String>,
    /// Tokens with one of these statuses. One that is expired and disabled is EXPIRED.
    status: Option<Vec<ApiTokenStatus>>,
    /// Tokens that have all of these permissions.
    permissions: Option<Vec<Permission>>,
    /// Tokens that have all of these labels: the key and exactly the value. At most 20, no key
    /// twice.
    labels: Option<Vec<LabelInput>>,
    /// The token of this API Token User, `usr_...`.
    user_id: Option<ID>,
    /// Tokens that this user created, `usr_...`.
    created_by_user_id: Option<ID>,
    /// What came of this token, `tok_...`: tokens that it made, that renewed it, and theirs in
    /// turn, to any depth. The token, or some on the way, may have been deleted since.
    descendants_of: Option<ID>,
    /// Tokens that were created at this instant or later.
    created_after: Option<DateTime>,
    /// Tokens that were created before this instant.
    created_before: Option<DateTime>,
    /// Tokens whose effective expiry is at this instant or later.
    expires_after: Option<DateTime>,
    /// Tokens whose effective expiry is before this instant.
    expires_before: Option<DateTime>,
    /// Tokens that were not used at this instant or later, or never: candidates for deletion. The
    /// last use is known to within a minute.
    not_used_since: Option<DateTime>,
}

/// How API tokens are sorted. Tokens with equal values are sorted by their ids.
#[derive(InputObject)]
struct ApiTokenOrder {
    /// What to sort by.
    field: ApiTokenOrderField,
    /// The direction.
    direction: OrderDirection,
}

/// What API tokens can be sorted by. Reading page after page returns each token that exists
/// throughout exactly once, as long as the value that it is sorted by does not change: only
/// CREATION_DATE never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::ApiTokenOrderField")]
enum ApiTokenOrderField {
    /// By name, without regard to case: character by character, in the order of Unicode.
    Name,
    /// By the time of creation.
    CreationDate,
    /// By the expiry, whatever the policy says.
    Expiry,
    /// By the time of the last use. Tokens that were never used come before all others.
    LastUsedDate,
}

/// The direction of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::Direction")]
enum OrderDirection {
    /// The smallest or earliest first.
    #[graphql(name = "ASC")]
    Ascending,
    /// The largest or latest first.
    #[graphql(name = "DESC")]
    Descending,
}

impl Default for ApiTokenOrder {
    fn default() -> Self {
        let order::ApiTokenOrder { field, direction } = order::ApiTokenOrder::default();
        Self { field: field.into(), direction: direction.into() }
    }
}

impl From<ApiTokenOrder> for order::ApiTokenOrder {
    fn from(order: ApiTokenOrder) -> Self {
        Self { field: order.field.into(), direction: order.direction.into() }
    }
}

#[derive(Default)]
pub(super) struct ApiTokensQuery;

#[Object]
impl ApiTokensQuery {
    /// The API tokens that are not deleted, the newest first unless `orderBy` says otherwise. All
    /// faults of the arguments are reported together, each with its `field`. Needs
    /// api.api-tokens.read.
    #[expect(clippy::too_many_arguments, reason = "they are the field's")]
    #[graphql(
        guard = "Needs(required::API_TOKENS_READ)",
        complexity = "complexity::of_page(__ctx, __variables_definition, __field, child_complexity)"
    )]
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many rows from the start: 1 to 100 (`page_size`), 20 if left out.")]
        first: Option<i32>,
        #[graphql(
            desc = "Only rows after this cursor: `endCursor` of the previous page. A cursor of \
                    another list or order is `cursor_invalid`."
        )]
        after: Option<String>,
        #[graphql(
            desc = "How many rows from the end: 1 to 100. Not with `first` (`first_and_last`)."
        )]
        last: Option<i32>,
        #[graphql(
            desc = "Only rows before this cursor: `startCursor` of the next page, with `last`."
        )]
        before: Option<String>,
        #[graphql(desc = "Which tokens to list.")] filter: Option<ApiTokenFilter>,
        #[graphql(
            desc = "What to sort by; keep it from page to page.",
            default_with = "Some(ApiTokenOrder::default())"
        )]
        order_by: Option<ApiTokenOrder>,
    ) -> Result<Option<Connection<ApiToken>>, GqlError> {
        let service = service(ctx)?;
        let order = order::ApiTokenOrder::from(order_by.unwrap_or_default());
        let mut faults = ArgumentErrors::default();
        let page = faults.page(order, &PageArguments { first, after, last, before });
        let filter = filter.unwrap_or_default().checked(&mut faults, service.catalogue());
        let page = faults.or_report(ctx, page)?;
        let rules = policy(ctx)?;
        let read = |caller, wanted| service.list_api_tokens(caller, rules, &filter, &page, wanted);
        list(ctx, read, ApiToken::from).await
    }
}

impl ApiTokenFilter {
    /// What has a fault is left out.
    pub(in crate::graphql::schema) fn checked(
        self,
        faults: &mut ArgumentErrors,
        catalogue: &Catalogue,
    ) -> filter::ApiTokenFilter {
        let name = self.name_contains.unwrap_or_default();
        let labels = LabelInput::pairs(self.labels.unwrap_or_default());
        let permissions = self.permissions.unwrap_or_default().into_iter().enumerate();
        let permissions = permissions
            .filter_map(|(index, permission)| faults.check(code(index, &permission, catalogue)));
        filter::ApiTokenFilter {
            permissions: PermissionSet::from_iter(permissions),
            labels: faults
                .check_all(Labels::parse(Field::Filter(FilterField::Labels), &labels))
                .unwrap_or_default(),
            name: faults
                .check(NamePart::parse(Field::Filter(FilterField::Name), &name))
                .unwrap_or_default(),
            status: self.status.into_iter().flatten().map(Into::into).collect(),
            user_id: faults.id(FilterField::User, self.user_id),
            created_user_id: faults.id(FilterField::Creator, self.created_by_user_id),
            descendants_of: faults.id(FilterField::Ancestor, self.descendants_of),
            created: filter::Window {
                from: faults.instant(FilterField::CreatedFrom, self.created_after),
                to: faults.instant(FilterField::CreatedTo, self.created_before),
            },
            expiry: filter::Window {
                from: faults.instant(FilterField::ExpiryFrom, self.expires_after),
                to: faults.instant(FilterField::ExpiryTo, self.expires_before),
            },
            not_used_since: faults.instant(FilterField::NotUsedSince, self.not_used_since),
            refused_by: None,
        }
    }
}

/// Values of variables are not checked against the enum before they come here.
fn code(
    index: usize,
    permission: &Permission,
    catalogue: &Catalogue,
) -> Result<PermissionCode, InputFault> {
    let entry = catalogue.by_code(&permission.code(catalogue));
    entry.map(|entry| entry.code.clone()).ok_or_else(|| {
        let message = "There is no such permission on this server.";
        InputFault::invalid(Field::Filter(FilterField::Permissions), "permission_unknown", message)
            .at(index)
    })
}
