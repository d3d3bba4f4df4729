//! A filter of tokens, as what is stored.

use diesel::dsl::auto_type;
use diesel::prelude::*;

use crate::db::{DbId, DbInstant, DbTexts, api_tokens};
use crate::domain::clock::Instant;
use crate::domain::filter::{ApiTokenFilter, RefusedBy, Window};
use crate::domain::label::Label;
use crate::domain::policy::Policy;
use crate::repository::policy::PolicyBounds;
use crate::repository::rows::NEVER;

/// A filter, as what is stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Conditions {
    pub(super) name_part: Option<String>,
    pub(super) permissions: Option<DbTexts>,
    pub(super) labels: Vec<Label>,
    pub(super) user_id: Option<DbId>,
    pub(super) created_user_id: Option<DbId>,
    pub(super) descendants_of: Option<DbId>,
    pub(super) enabled: Option<bool>,
    /// Tokens that end before this meet the condition on `enabled`, whether they are or not.
    pub(super) or_ended: Option<Ended>,
    pub(super) created: Window,
    pub(super) expiry: Window,
    pub(super) last_used: Window,
    /// Of these creations, no token.
    pub(super) not_created: Option<(DbInstant, DbInstant)>,
    /// Tokens that end before this, where the policy ends some earlier than their expiry. Otherwise
    /// that is part of the window of the expiry.
    pub(super) ended: Option<Ended>,
    /// Those that can be used at this instant, and that a policy with these bounds refuses.
    pub(super) refused: Option<(DbInstant, PolicyBounds)>,
}

/// Tokens that end before an instant: by their expiry, or because of their creation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ended {
    pub(super) expiry: DbInstant,
    /// From the first of these creations, to before the second one.
    pub(super) created: Option<(DbInstant, DbInstant)>,
}

impl Ended {
    fn before(policy: &Policy, end: Instant) -> Self {
        let created = policy
            .outlived_before(end)
            .and_then(|created| Some((DbInstant(created.from?), DbInstant(created.to?))));
        Self { expiry: DbInstant(end), created }
    }
}

/// Narrows a boxed query to the live tokens that meet the conditions.
macro_rules! filtered {
    ($query:expr, $conditions:expr) => {{
        use $crate::db::{HoldsAll, InLine, Includes, contains, stored_label};
        use $crate::repository::policy::{idle, outlived, unbound};
        use $crate::repository::token::conditions::{Ended, ended};
        let mut query = $query.filter(api_tokens::deleted_date.is_null());
        let only = $conditions;
        if let Some(part) = only.name_part {
            query = query.filter(contains(api_tokens::name_key, &part));
        }
        if let Some(codes) = only.permissions {
            query = query.filter(HoldsAll::new(api_tokens::permissions, codes));
        }
        if !only.labels.is_empty() {
            let labels = only.labels.iter().map(stored_label).collect();
            query = query.filter(Includes::new(api_tokens::labels, labels));
        }
        if let Some(id) = only.user_id {
            query = query.filter(api_tokens::user_id.eq(id));
        }
        if let Some(id) = only.created_user_id {
            query = query.filter(api_tokens::created_user_id.eq(id));
        }
        if let Some(id) = only.descendants_of {
            query = query.filter(InLine::descendants(api_tokens::id, id));
        }
        // Without bound values, so that the index on disabled tokens is used.
        match (only.enabled, only.or_ended) {
            (None, _) => {}
            (Some(true), None) => query = query.filter(api_tokens::enabled),
            (Some(false), None) => query = query.filter(diesel::dsl::not(api_tokens::enabled)),
            (Some(true), Some(Ended { expiry, created: None })) => {
                query = query.filter(api_tokens::enabled.or(api_tokens::expiry.lt(expiry)));
            }
            (Some(false), Some(Ended { expiry, created: None })) => {
                query = query.filter(
                    diesel::dsl::not(api_tokens::enabled).or(api_tokens::expiry.lt(expiry)),
                );
            }
            (Some(true), Some(Ended { expiry, created: Some(created) })) => {
                query = query.filter(api_tokens::enabled.or(ended(expiry, created)));
            }
            (Some(false), Some(Ended { expiry, created: Some(created) })) => {
                query =
                    query.filter(diesel::dsl::not(api_tokens::enabled).or(ended(expiry, created)));
            }
        }
        if let Some(Ended { expiry, created: Some(created) }) = only.ended {
            query = query.filter(ended(expiry, created));
        }
        if let Some((now, bounds)) = only.refused {
            let refused = outlived(bounds).or(unbound(bounds)).or(idle(bounds));
            query = query.filter(api_tokens::enabled).filter(api_tokens::expiry.gt(now));
            query = query.filter(refused);
        }
        match only.not_created {
            // One bound, where a rule is for all tokens: it can be found by an index.
            Some((from, to)) if from == DbInstant($crate::domain::clock::Instant::UNIX_EPOCH) => {
                query = query.filter(api_tokens::creation_date.ge(to));
            }
            Some((from, to)) => {
                let (before, after) =
                    (api_tokens::creation_date.lt(from), api_tokens::creation_date.ge(to));
                query = query.filter(before.or(after));
            }
            None => {}
        }
        if let Some(from) = only.created.from {
            query = query.filter(api_tokens::creation_date.ge(DbInstant(from)));
        }
        if let Some(to) = only.created.to {
            query = query.filter(api_tokens::creation_date.lt(DbInstant(to)));
        }
        if let Some(from) = only.expiry.from {
            query = query.filter(api_tokens::expiry.ge(DbInstant(from)));
        }
        if let Some(to) = only.expiry.to {
            query = query.filter(api_tokens::expiry.lt(DbInstant(to)));
        }
        if let Some(to) = only.last_used.to {
            query = query.filter(api_tokens::last_used_date.lt(DbInstant(to)));
        }
        query
    }};
}

pub(super) use filtered;

/// Those whose expiry is before this instant, and those with these creations.
#[auto_type]
pub(super) fn ended(expiry: DbInstant, created: (DbInstant, DbInstant)) -> _ {
    let (from, to): (DbInstant, DbInstant) = created;
    api_tokens::expiry
        .lt(expiry)
        .or(api_tokens::creation_date.ge(from).and(api_tokens::creation_date.lt(to)))
}

impl Conditions {
    /// A filter at an instant, by the effective expiry under a policy.
    pub(super) fn of(filter: &ApiTokenFilter, policy: &Policy, now: Instant) -> Self {
        let id = |id: crate::domain::id::UserId| DbId(id.uuid());
        let codes: Vec<String> = filter.permissions.iter().map(ToString::to_string).collect();
        let status = filter.at(now);
        let mut expiry = status.expiry;
        let ended = expiry.to.map(|to| Ended::before(policy, to));
        let ended = ended.filter(|ended| ended.created.is_some());
        if ended.is_some() {
            expiry.to = None;
        }
        let not_created = expiry.from.and_then(|from| Ended::before(policy, from).created);
        Self {
            name_part: filter.name.key().map(ToOwned::to_owned),
            permissions: Some(codes).filter(|codes| !codes.is_empty()).map(DbTexts),
            labels: filter.labels.iter().cloned().collect(),
            user_id: filter.user_id.map(id),
            created_user_id: filter.created_user_id.map(id),
            descendants_of: filter.descendants_of.map(|id| DbId(id.uuid())),
            enabled: status.enabled,
            or_ended: status.or_expired.map(|before| Ended::before(policy, before)),
            created: filter.created,
            expiry,
            not_created,
            ended,
            refused: filter
                .refused_by
                .map(|RefusedBy(policy)| (DbInstant(now), PolicyBounds::of(&policy, now))),
            last_used: filter.not_used_since.map_or(Window::default(), unused_until),
        }
    }
}

/// A token that was never used counts as unused since any instant, even one before `NEVER`.
fn unused_until(instant: Instant) -> Window {
    let after_never = NEVER + chrono::TimeDelta::microseconds(1);
    Window { from: None, to: Some(instant.max(after_never)) }
}
