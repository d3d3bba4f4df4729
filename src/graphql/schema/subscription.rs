//! The root of subscriptions: what happens, as it happens.
//!
//! The engine runs a subscription once for each event, and once before them all. What follows the
//! events is `engine::execution`, which tells the root field what it is run for.

use std::sync::{Arc, OnceLock};

use async_graphql::{Context, ID, InputObject, Subscription};
use futures_util::stream::{Iter, iter};

use crate::domain::audit::AuditTarget;
use crate::domain::cursor::Position;
use crate::domain::fault::{Field, FilterField, InputFault};
use crate::domain::filter::FollowedEvents;
use crate::domain::order::Sequence;
use crate::domain::page::cursor_position;
use crate::domain::permission::required;
use crate::graphql::context::held;
use crate::graphql::error::GqlError;
use crate::graphql::schema::connection::Edge;
use crate::graphql::schema::guard::Needs;
use crate::graphql::schema::id::ID_MESSAGE;
use crate::graphql::schema::types::{AuditAction, AuditEvent};
use crate::service::FollowedEvent;

/// Tokens that one subscription may name: each event is compared with all of them.
const MAX_TARGETS: usize = 100;

/// What a subscription asks for.
#[derive(Debug, Clone)]
pub(in crate::graphql) struct Followed {
    pub(in crate::graphql) wanted: FollowedEvents,
    pub(in crate::graphql) after: Option<Position>,
}

/// What the root field is run for.
pub(in crate::graphql) enum Source {
    /// To learn what it asks for.
    Opening(OnceLock<Result<Followed, Vec<InputFault>>>),
    /// To show an event.
    Event(FollowedEvent),
}

/// Which events to follow. An event must meet all conditions. What is null or left out restricts
/// nothing, and neither does an empty list.
#[derive(InputObject, Default)]
struct ApiTokenEventFilter {
    /// Events with one of these actions.
    action: Option<Vec<AuditAction>>,
    /// Events about one of these tokens, `tok_...`; at most 100.
    target_id: Option<Vec<ID>>,
}

/// The root of subscriptions.
pub(in crate::graphql) struct Subscription;

/// What happens, as it happens. Over a WebSocket to this endpoint, by the protocol
/// graphql-transport-ws, where the server's setting `subscriptions` is on. The payload of
/// `connection_init` has the token: `{ "authorization": "Bearer twr_..." }`. Each event is shown
/// only if the token may read it at that moment.
#[Subscription]
impl Subscription {
    /// The audit events about tokens as they are committed, the oldest first: those of
    /// `auditEvents`, with the same cursors. To miss none, give `after`: the `startCursor` of the
    /// newest page that you have read, or the `cursor` of the last event that came. Without it, the
    /// events from now on come. Needs api.api-tokens.read, and each field what it needs elsewhere.
    #[graphql(guard = "Needs(required::API_TOKENS_READ)")]
    async fn api_token_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only events after this cursor of `auditEvents`. A cursor of another list is \
                    `cursor_invalid`."
        )]
        after: Option<String>,
        #[graphql(desc = "Which events to follow.")] filter: Option<ApiTokenEventFilter>,
    ) -> Result<Iter<std::option::IntoIter<Edge<AuditEvent>>>, GqlError> {
        let source = ctx.data_opt::<Arc<Source>>().map(Arc::as_ref);
        let shown = match source {
            None => return Err(GqlError::internal("the subscription has no source")),
            Some(Source::Opening(asked)) => {
                let _once = asked.set(checked(after.as_deref(), filter.unwrap_or_default()));
                None
            }
            Some(Source::Event(row)) => {
                let cursor = row.position.to_cursor(Sequence::AuditEvents);
                Some(Edge::new(cursor, AuditEvent(held(ctx, row.value.clone())?)))
            }
        };
        Ok(iter(shown))
    }
}

/// What is asked for, or everything that is wrong with it.
fn checked(after: Option<&str>, filter: ApiTokenEventFilter) -> Result<Followed, Vec<InputFault>> {
    let mut faults = Vec::new();
    let position = cursor_position(Field::After, after, Sequence::AuditEvents);
    let after = position.unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    let ids = filter.target_id.unwrap_or_default();
    let of_targets = |reason, message: &str| {
        InputFault::invalid(Field::Filter(FilterField::Target), reason, message)
    };
    if ids.len() > MAX_TARGETS {
        let message = format!("At most {MAX_TARGETS} tokens are followed by one subscription.");
        faults.push(of_targets("targets_too_many", &message));
    }
    let mut targets = Vec::new();
    for (index, id) in ids.iter().enumerate().take(MAX_TARGETS) {
        match id.parse() {
            Ok(id) => targets.push(AuditTarget::ApiToken(id)),
            Err(_) => faults.push(of_targets("id_syntax", ID_MESSAGE).at(index)),
        }
    }
    let actions = filter.action.into_iter().flatten().map(Into::into).collect();
    let wanted = FollowedEvents { actions, targets };
    if faults.is_empty() { Ok(Followed { wanted, after }) } else { Err(faults) }
}
