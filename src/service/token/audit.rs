//! The record of what a use case does.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::api_token::ApiToken;
use crate::domain::api_token_change::ApiTokenChange;
use crate::domain::audit::{AuditAction, AuditChange, AuditEvent, AuditTarget};
use crate::domain::clock::{Instant, written};
use crate::domain::id::EventId;
use crate::domain::label::Labels;
use crate::domain::principal::{Origin, Principal};
use crate::domain::random::RandomError;
use crate::repository::EventOf;
use crate::service::Service;

impl Service {
    /// What the caller does now, without any changes yet.
    pub(in crate::service) fn event(
        &self,
        action: AuditAction,
        target: AuditTarget,
        date: Instant,
        principal: &Principal,
        origin: &Origin,
    ) -> Result<AuditEvent, RandomError> {
        Ok(AuditEvent {
            id: EventId::generate(date, self.random())?,
            date,
            action,
            actor: principal.user(),
            actor_token: principal.api_token().map(|own| own.id),
            client_address: origin.client_address,
            request_id: origin.request_id.clone(),
            target,
            changes: Vec::new(),
        })
    }
}

impl Service {
    /// Makes events of one action on several tokens, for what a transaction finds.
    pub(super) fn events(
        &self,
        action: AuditAction,
        date: Instant,
        principal: &Principal,
        origin: &Origin,
    ) -> EventOf {
        let random = Arc::clone(&self.random);
        let (actor, actor_token) = (principal.user(), principal.api_token().map(|own| own.id));
        let Origin { client_address, request_id } = origin.clone();
        Box::new(move |target, changes| {
            Ok(AuditEvent {
                id: EventId::generate(date, random.as_ref())?,
                date,
                action,
                actor: actor.clone(),
                actor_token,
                client_address,
                request_id: request_id.clone(),
                target: AuditTarget::ApiToken(target),
                changes,
            })
        })
    }
}

/// Gives the ids of events to them in this order: events of one instant are sorted by their ids.
pub(super) fn in_order<const N: usize>(events: [&mut AuditEvent; N]) {
    let mut ids = events.each_ref().map(|event| event.id);
    ids.sort_unstable();
    for (event, id) in events.into_iter().zip(ids) {
        event.id = id;
    }
}

/// What a new token is given.
pub(super) fn settings(token: &ApiToken) -> Vec<AuditChange> {
    let mut changes = vec![
        AuditChange::set("name", &*token.name),
        AuditChange::set("expiry", written(token.expiry)),
        AuditChange::set("permissions", join(token.permissions.iter())),
        AuditChange::set("allowedAddresses", join(token.allowed_addresses.iter())),
    ];
    if let Some(description) = filled(&token.description) {
        changes.push(AuditChange::set("description", description));
    }
    changes.extend(relabelled(&Labels::default(), &token.labels));
    changes
}

/// What becomes different about a token.
pub(super) fn replaced(token: &ApiToken, change: &ApiTokenChange) -> Vec<AuditChange> {
    let ApiTokenChange {
        name,
        description,
        labels,
        enabled,
        permissions,
        allowed_addresses,
        expiry,
    } = change;
    let changes = [
        name.as_ref().map(|name| AuditChange::replaced("name", &*token.name, name.as_str())),
        enabled.map(|enabled| {
            AuditChange::replaced("enabled", token.enabled.to_string(), enabled.to_string())
        }),
        expiry
            .map(|expiry| AuditChange::replaced("expiry", written(token.expiry), written(expiry))),
        permissions.as_ref().map(|permissions| {
            let before = join(token.permissions.iter());
            AuditChange::replaced("permissions", before, join(permissions.iter()))
        }),
        allowed_addresses.as_ref().map(|addresses| {
            let before = join(token.allowed_addresses.iter());
            AuditChange::replaced("allowedAddresses", before, join(addresses.iter()))
        }),
        description.as_ref().map(|description| AuditChange {
            field: "description".into(),
            before: filled(&token.description),
            after: filled(description.as_str()),
        }),
    ];
    let labels = labels.iter().flat_map(|labels| relabelled(&token.labels, labels));
    changes.into_iter().flatten().chain(labels).collect()
}

/// A text, if it is not empty.
fn filled(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// A change of each label that is not the same before and after.
fn relabelled(before: &Labels, after: &Labels) -> Vec<AuditChange> {
    let keys: BTreeSet<&str> =
        before.iter().chain(after.iter()).map(|label| label.key.as_str()).collect();
    let change = |key: &str| {
        let (before, after) = (before.get(key), after.get(key));
        (before != after).then(|| AuditChange {
            field: format!("labels.{key}").into(),
            before: before.map(ToOwned::to_owned),
            after: after.map(ToOwned::to_owned),
        })
    };
    keys.into_iter().filter_map(change).collect()
}

fn join(values: impl Iterator<Item = impl ToString>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}
