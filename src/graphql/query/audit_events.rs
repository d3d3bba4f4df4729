//! `auditEvents`: who did what, when.

use async_graphql::{Context, ID, InputObject, Object};

use crate::domain::filter;
use crate::domain::order::Sequence;
use crate::domain::page::PageArguments;
use crate::domain::permission::required;
use crate::graphql::connection::{Connection, wanted};
use crate::graphql::context::{principal, service};
use crate::graphql::cost;
use crate::graphql::error::GqlError;
use crate::graphql::faults::Faults;
use crate::graphql::guard::Needs;
use crate::graphql::scalars::DateTime;
use crate::graphql::types::{AuditAction, AuditEvent};

/// Which audit events to list. All conditions hold together; what is left out restricts nothing, and
/// neither does an empty list.
#[derive(InputObject, Default)]
struct AuditEventFilter {
    /// One of these was done.
    action: Option<Vec<AuditAction>>,
    /// This user did it.
    actor_user_id: Option<ID>,
    /// It was done to this token, tok_..., which may be deleted since.
    target_id: Option<ID>,
    /// It was done at this instant or later.
    after: Option<DateTime>,
    /// It was done before this instant.
    before: Option<DateTime>,
}

#[derive(Default)]
pub(super) struct AuditEventsQuery;

#[Object]
impl AuditEventsQuery {
    /// The audit events, the newest first. All faults of the arguments are reported together, each with
    /// its `field`. Needs api.api-tokens.read.
    #[graphql(
        guard = "Needs(required::API_TOKENS_READ)",
        complexity = "cost::of_page(__ctx, __variables_definition, __field, child_complexity)"
    )]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many: 1 to 100, 20 if left out.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many: 1 to 100, without `first`.")] last: Option<i32>,
        #[graphql(
            desc = "Only what comes before this cursor; `last` of it is what is next to it."
        )]
        before: Option<String>,
        #[graphql(desc = "Which events to list.")] filter: Option<AuditEventFilter>,
    ) -> Result<Option<Connection<AuditEvent>>, GqlError> {
        let sequence = Sequence::AuditEvents;
        let mut faults = Faults::default();
        let page = faults.page(sequence, &PageArguments { first, after, last, before });
        let filter = filter.unwrap_or_default().checked(&mut faults);
        let page = faults.none_in(ctx, page)?;
        let (caller, wanted) = (principal(ctx)?, wanted(ctx));
        let listing = service(ctx)?.list_audit_events(caller, filter, &page, wanted).await?;
        Ok(Some(Connection::new(sequence, listing, AuditEvent)))
    }
}

impl AuditEventFilter {
    /// What is at fault is left out.
    fn checked(self, faults: &mut Faults) -> filter::AuditEventFilter {
        filter::AuditEventFilter {
            actions: self.action.into_iter().flatten().map(Into::into).collect(),
            actor_user_id: faults.id("filter.actorUserId", self.actor_user_id),
            target: faults.id("filter.targetId", self.target_id),
            date: filter::Window {
                from: faults.instant("filter.after", self.after),
                to: faults.instant("filter.before", self.before),
            },
        }
    }
}
