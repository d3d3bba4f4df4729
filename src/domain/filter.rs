//! Which rows of a list a reader wants. A row must meet all conditions of a filter; an empty list
//! of choices restricts nothing.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::api_token::ApiTokenStatus;
use super::audit::{AuditAction, AuditEvent, AuditTarget};
use super::clock::Instant;
use super::id::{ApiTokenId, UserId};
use super::label::Labels;
use super::name::NamePart;
use super::permission::PermissionSet;
use super::policy::Policy;

/// Which tokens. The deleted ones are never among them.
#[derive(Debug, Clone, Default)]
pub struct ApiTokenFilter {
    /// A part of the name.
    pub name: NamePart,
    /// Any of these.
    pub status: Vec<ApiTokenStatus>,
    /// All of these.
    pub permissions: PermissionSet,
    /// All of these.
    pub labels: Labels,
    /// The API Token User.
    pub user_id: Option<UserId>,
    /// Who created the token.
    pub created_user_id: Option<UserId>,
    /// The token that they come from: it or its descendants made or renewed them.
    pub descendants_of: Option<ApiTokenId>,
    /// When it was created.
    pub created: Window,
    /// When it expires.
    pub expiry: Window,
    /// Never used, or last used before this instant.
    pub not_used_since: Option<Instant>,
    /// Those that can be used, and that a rule of this policy refuses.
    pub refused_by: Option<RefusedBy>,
}

/// A policy that refuses tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedBy(pub Policy);

/// Which users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// A part of the name.
    pub name: NamePart,
    /// Whether it is the user of a token.
    pub service_account: Option<bool>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
}

/// Which audit events.
#[derive(Debug, Clone, Default)]
pub struct AuditEventFilter {
    /// Any of these.
    pub actions: BTreeSet<AuditAction>,
    /// Who did it.
    pub actor_user_id: Option<UserId>,
    /// What it was done to.
    pub target: Option<AuditTarget>,
    /// When it happened.
    pub date: Window,
}

/// Which audit events somebody follows.
#[derive(Debug, Clone, Default)]
pub struct FollowedEvents {
    /// Any of these.
    pub actions: BTreeSet<AuditAction>,
    /// Those about any of these.
    pub targets: Vec<AuditTarget>,
}

/// A span of time: from an instant, which belongs to it, to another one, which does not. So
/// adjacent spans share no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// The first instant that counts.
    pub from: Option<Instant>,
    /// The first instant that no longer counts.
    pub to: Option<Instant>,
}

impl AuditEventFilter {
    /// Does it only say when?
    pub fn is_window(&self) -> bool {
        self.actions.is_empty() && self.actor_user_id.is_none() && self.target.is_none()
    }
}

impl FollowedEvents {
    /// Is the event one of them?
    pub fn includes(&self, event: &AuditEvent) -> bool {
        (self.actions.is_empty() || self.actions.contains(&event.action))
            && (self.targets.is_empty() || self.targets.contains(&event.target))
    }

    /// As much of it as a filter of the list says.
    pub fn in_database(&self) -> AuditEventFilter {
        let target = match self.targets.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        AuditEventFilter { actions: self.actions.clone(), target, ..AuditEventFilter::default() }
    }
}

impl Window {
    /// The part of it that is not before this instant.
    #[must_use]
    pub fn not_before(self, instant: Instant) -> Self {
        Self { from: self.from.max(Some(instant)), ..self }
    }

    /// The part of it that is before this instant.
    #[must_use]
    pub fn before(self, instant: Instant) -> Self {
        Self { to: Some(self.to.map_or(instant, |to| to.min(instant))), ..self }
    }
}

/// What a filter by status asks of expiry and `enabled`, at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusConditions {
    /// Within the window that the filter has already.
    pub expiry: Window,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// Or expired, that is: the expiry is before this instant.
    pub or_expired: Option<Instant>,
}

impl ApiTokenFilter {
    /// Does it restrict nothing?
    pub fn is_empty(&self) -> bool {
        let Self {
            name,
            status,
            permissions,
            labels,
            user_id,
            created_user_id,
            descendants_of,
            created,
            expiry,
            not_used_since,
            refused_by,
        } = self;
        name.key().is_none()
            && status.is_empty()
            && permissions.is_empty()
            && labels.is_empty()
            && user_id.is_none()
            && created_user_id.is_none()
            && descendants_of.is_none()
            && *created == Window::default()
            && *expiry == Window::default()
            && not_used_since.is_none()
            && refused_by.is_none()
    }

    /// The statuses asked for and the window of the expiry, as what is stored. Agrees with
    /// [`ApiToken::status`](super::api_token::ApiToken::status).
    pub fn at(&self, now: Instant) -> StatusConditions {
        let has = |status| self.status.contains(&status);
        // Instants are whole microseconds: what expires now is expired, what expires next is not.
        let next = now + TimeDelta::microseconds(1);
        let live = self.expiry.not_before(next);
        let conditions =
            |expiry, enabled, or_expired| StatusConditions { expiry, enabled, or_expired };
        match [ApiTokenStatus::Active, ApiTokenStatus::Disabled, ApiTokenStatus::Expired].map(has) {
            [true, false, false] => conditions(live, Some(true), None),
            [false, true, false] => conditions(live, Some(false), None),
            [true, true, false] => conditions(live, None, None),
            [false, false, true] => conditions(self.expiry.before(next), None, None),
            [true, false, true] => conditions(self.expiry, Some(true), Some(next)),
            [false, true, true] => conditions(self.expiry, Some(false), Some(next)),
            [true, true, true] | [false, false, false] => conditions(self.expiry, None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn at(micros: i64) -> Instant {
        DateTime::from_timestamp_micros(micros).unwrap()
    }

    #[test]
    fn a_window_is_only_narrowed() {
        let window = Window { from: Some(at(3)), to: Some(at(7)) };
        assert_eq!(window.not_before(at(2)), window);
        assert_eq!(window.not_before(at(4)).from, Some(at(4)));
        assert_eq!(window.before(at(8)), window);
        assert_eq!(window.before(at(6)).to, Some(at(6)));
        assert_eq!(Window::default().not_before(at(4)).from, Some(at(4)));
        assert_eq!(Window::default().before(at(4)).to, Some(at(4)));
    }

    #[test]
    fn statuses_are_what_tokens_have() {
        use ApiTokenStatus::{Active, Disabled, Expired};

        let now = at(5);
        let status = |expiry: i64, enabled: bool| match (now >= at(expiry), enabled) {
            (true, _) => Expired,
            (false, true) => Active,
            (false, false) => Disabled,
        };
        let within = |window: Window, expiry: i64| {
            window.from.is_none_or(|from| at(expiry) >= from)
                && window.to.is_none_or(|to| at(expiry) < to)
        };
        for chosen in 0..8 {
            let bits = [(1, Active), (2, Disabled), (4, Expired)];
            let chosen = bits.into_iter().filter(|(bit, _)| chosen & bit != 0);
            let filter = ApiTokenFilter {
                status: chosen.map(|(_, status)| status).collect(),
                ..ApiTokenFilter::default()
            };
            let conditions = filter.at(now);
            for (expiry, enabled) in (3..8).flat_map(|expiry| [(expiry, true), (expiry, false)]) {
                let expected =
                    filter.status.is_empty() || filter.status.contains(&status(expiry, enabled));
                let expired = conditions.or_expired.is_some_and(|before| at(expiry) < before);
                let found = within(conditions.expiry, expiry)
                    && (expired || conditions.enabled.is_none_or(|wanted| wanted == enabled));
                assert_eq!(found, expected, "{:?} {expiry} {enabled}", filter.status);
            }
        }
    }
}
