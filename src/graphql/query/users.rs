//! `users`: the list of users.

use async_graphql::{Context, InputObject, Object};

use crate::domain::filter;
use crate::domain::name::NamePart;
use crate::domain::order::Sequence;
use crate::domain::page::PageArguments;
use crate::domain::permission::required;
use crate::graphql::connection::{Connection, wanted};
use crate::graphql::context::{principal, service};
use crate::graphql::cost;
use crate::graphql::error::GqlError;
use crate::graphql::faults::Faults;
use crate::graphql::guard::Needs;
use crate::graphql::types::User;

/// Which users to list. All conditions hold together; what is left out restricts nothing.
#[derive(InputObject, Default)]
struct UserFilter {
    /// Users whose name contains this, without regard to case, compatible characters and white space
    /// around it. At most 200 characters, of which none has a meaning of its own.
    name_contains: Option<String>,
    /// True: API Token Users and the system user; false: everybody else.
    service_account: Option<bool>,
    /// False: users of deleted tokens, for instance.
    enabled: Option<bool>,
}

#[derive(Default)]
pub(super) struct UsersQuery;

#[Object]
impl UsersQuery {
    /// The users, the oldest first, those of deleted tokens included. All faults of the arguments are
    /// reported together, each with its `field`. Needs api.users.read.
    #[graphql(
        guard = "Needs(required::USERS_READ)",
        complexity = "cost::of_page(__ctx, __variables_definition, __field, child_complexity)"
    )]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many: 1 to 100, 20 if left out.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many: 1 to 100, without `first`.")] last: Option<i32>,
        #[graphql(
            desc = "Only what comes before this cursor; `last` of it is what is next to it."
        )]
        before: Option<String>,
        #[graphql(desc = "Which users to list.")] filter: Option<UserFilter>,
    ) -> Result<Option<Connection<User>>, GqlError> {
        let sequence = Sequence::Users;
        let mut faults = Faults::default();
        let page = faults.page(sequence, &PageArguments { first, after, last, before });
        let filter = filter.unwrap_or_default().checked(&mut faults);
        let page = faults.none_in(ctx, page)?;
        let (caller, wanted) = (principal(ctx)?, wanted(ctx));
        let listing = service(ctx)?.list_users(caller, filter, &page, wanted).await?;
        Ok(Some(Connection::new(sequence, listing, User)))
    }
}

impl UserFilter {
    /// What is at fault is left out.
    fn checked(self, faults: &mut Faults) -> filter::UserFilter {
        let name = self.name_contains.unwrap_or_default();
        filter::UserFilter {
            name: faults.check(NamePart::parse("filter.nameContains", &name)).unwrap_or_default(),
            service_account: self.service_account,
            enabled: self.enabled,
        }
    }
}
