//! `users`: the list of users.

use async_graphql::{Context, InputObject, Object};

use crate::domain::fault::{Field, FilterField};
use crate::domain::filter;
use crate::domain::name::NamePart;
use crate::domain::order::UserOrder;
use crate::domain::page::PageArguments;
use crate::domain::permission::required;
use crate::graphql::context::service;
use crate::graphql::error::GqlError;
use crate::graphql::schema::argument_errors::ArgumentErrors;
use crate::graphql::schema::complexity;
use crate::graphql::schema::connection::{Connection, list};
use crate::graphql::schema::guard::Needs;
use crate::graphql::schema::types::User;

/// Which users to list. A row must meet all conditions. What is null or left out restricts nothing.
#[derive(InputObject, Default)]
struct UserFilter {
    /// Users whose name contains this text; case, compatible characters and surrounding white space
    /// do not matter. At most 200 characters; there are no wildcards.
    name_contains: Option<String>,
    /// True: API Token Users and the system user; false: all other users.
    service_account: Option<bool>,
    /// True: users that may act; false: those that may not, such as users of deleted tokens.
    enabled: Option<bool>,
}

#[derive(Default)]
pub(super) struct UsersQuery;

#[Object]
impl UsersQuery {
    /// The users, the oldest first, those of deleted tokens included. All faults of the arguments
    /// are reported together, each with its `field`. Needs api.users.read.
    #[graphql(
        guard = "Needs(required::USERS_READ)",
        complexity = "complexity::of_page(__ctx, __variables_definition, __field, child_complexity)"
    )]
    async fn users(
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
        #[graphql(desc = "Which users to list.")] filter: Option<UserFilter>,
    ) -> Result<Option<Connection<User>>, GqlError> {
        let mut faults = ArgumentErrors::default();
        let page = faults.page(UserOrder, &PageArguments { first, after, last, before });
        let filter = filter.unwrap_or_default().checked(&mut faults);
        let page = faults.or_report(ctx, page)?;
        let service = service(ctx)?;
        let read = |caller, wanted| service.list_users(caller, filter, &page, wanted);
        list(ctx, read, User).await
    }
}

impl UserFilter {
    /// What has a fault is left out.
    fn checked(self, faults: &mut ArgumentErrors) -> filter::UserFilter {
        let name = self.name_contains.unwrap_or_default();
        filter::UserFilter {
            name: faults
                .check(NamePart::parse(Field::Filter(FilterField::Name), &name))
                .unwrap_or_default(),
            service_account: self.service_account,
            enabled: self.enabled,
        }
    }
}
