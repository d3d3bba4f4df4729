//! `auditEvents`: who did what, when.

use async_graphql::{Context, ID, InputObject, Object};

use crate::domain::fault::FilterField;
use crate::domain::filter;
use crate::domain::order::AuditEventOrder;
use crate::domain::page::PageArguments;
use crate::domain::permission::required;
use crate::graphql::context::service;
use crate::graphql::error::GqlError;
use crate::graphql::schema::argument_errors::ArgumentErrors;
use crate::graphql::schema::complexity;
use crate::graphql::schema::connection::{Connection, list};
use crate::graphql::schema::guard::Needs;
use crate::graphql::schema::scalars::DateTime;
use crate::graphql::schema::types::{AuditAction, AuditEvent};

/// Which audit events to list. A row must meet all conditions. What is null or left out restricts
/// nothing, and neither does an empty list.
#[derive(InputObject, Default)]
struct AuditEventFilter {
    /// Events with one of these actions.
    action: Option<Vec<AuditAction>>,
    /// Events that this user caused, `usr_...`.
    actor_user_id: Option<ID>,
    /// Events about this token, `tok_...`, which may have been deleted since, or about the policy,
    /// `pol_...`.
    target_id: Option<ID>,
    /// Events at this instant or later.
    after: Option<DateTime>,
    /// Events before this instant.
    before: Option<DateTime>,
}

#[derive(Default)]
pub(super) struct AuditEventsQuery;

#[Object]
impl AuditEventsQuery {
    /// The audit events: who did what and when, the newest first. They are in the order of their
    /// commits: an event never appears behind one that was there before it. To follow the list
    /// without missing an event, ask for `last` and `before` with the `startCursor` of the newest
    /// page that you have read. All faults of the arguments are reported together, each with its
    /// `field`. Needs api.api-tokens.read.
    #[graphql(
        guard = "Needs(required::API_TOKENS_READ)",
        complexity = "complexity::of_page(__ctx, __variables_definition, __field, child_complexity)"
    )]
    async fn audit_events(
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
        #[graphql(desc = "Which events to list.")] filter: Option<AuditEventFilter>,
    ) -> Result<Option<Connection<AuditEvent>>, GqlError> {
        let mut faults = ArgumentErrors::default();
        let page = faults.page(AuditEventOrder, &PageArguments { first, after, last, before });
        let filter = filter.unwrap_or_default().checked(&mut faults);
        let page = faults.or_report(ctx, page)?;
        let service = service(ctx)?;
        let read = |caller, wanted| service.list_audit_events(caller, filter, &page, wanted);
        list(ctx, read, AuditEvent).await
    }
}

impl AuditEventFilter {
    /// What has a fault is left out.
    fn checked(self, faults: &mut ArgumentErrors) -> filter::AuditEventFilter {
        filter::AuditEventFilter {
            actions: self.action.into_iter().flatten().map(Into::into).collect(),
            actor_user_id: faults.id(FilterField::Actor, self.actor_user_id),
            target: faults.id(FilterField::Target, self.target_id),
            date: filter::Window {
                from: faults.instant(FilterField::DateFrom, self.after),
                to: faults.instant(FilterField::DateTo, self.before),
            },
        }
    }
}
