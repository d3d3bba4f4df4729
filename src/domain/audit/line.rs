//! An audit event as a line of JSON, for what copies events elsewhere. The fields and their values
//! are those of `AuditEvent` in GraphQL; `docs/audit.md` lists them.

use std::net::IpAddr;

use serde::Serialize;

use super::{AuditChange, AuditEvent};
use crate::domain::clock::written;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    id: String,
    date: String,
    action: String,
    actor: Actor<'a>,
    actor_api_token_id: Option<String>,
    client_address: Option<IpAddr>,
    request_id: Option<&'a str>,
    target_id: String,
    changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Actor<'a> {
    user_id: String,
    user_name: &'a str,
}

#[derive(Serialize)]
struct Change<'a> {
    field: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

impl<'a> From<&'a AuditEvent> for Line<'a> {
    fn from(event: &'a AuditEvent) -> Self {
        Self {
            id: event.id.to_string(),
            date: written(event.date),
            // The name that the action has in GraphQL.
            action: event.action.as_str().to_ascii_uppercase(),
            actor: Actor {
                user_id: event.actor.user_id.to_string(),
                user_name: &event.actor.user_name,
            },
            actor_api_token_id: event.actor_token.map(|id| id.to_string()),
            client_address: event.client_address,
            request_id: event.request_id.as_deref(),
            target_id: event.target.to_string(),
            changes: event.changes.iter().map(Change::from).collect(),
        }
    }
}

impl<'a> From<&'a AuditChange> for Change<'a> {
    fn from(change: &'a AuditChange) -> Self {
        let AuditChange { field, before, after } = change;
        Self { field, before: before.as_deref(), after: after.as_deref() }
    }
}

/// Lines of events, each with its end.
#[derive(Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Lines {
    /// The lines of these events.
    ///
    /// # Errors
    /// Never for an event that was read from the database: its values are texts.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a AuditEvent>) -> std::io::Result<Self> {
        let mut lines = Self::default();
        for event in events {
            serde_json::to_writer(&mut lines.bytes, &Line::from(event))?;
            lines.bytes.push(b'\n');
            lines.ends.push(lines.bytes.len());
        }
        Ok(lines)
    }

    /// All of them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Of the first so many bytes: how many lines are whole, and how long these are.
    pub fn whole_in(&self, bytes: usize) -> (usize, usize) {
        let lines = self.ends.partition_point(|end| *end <= bytes);
        let length = lines.checked_sub(1).and_then(|last| self.ends.get(last));
        (lines, length.copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::{AuditAction, AuditTarget};
    use crate::domain::clock::Instant;
    use crate::domain::id::{ApiTokenId, EventId, UserId};
    use crate::domain::user::UserInfo;

    fn event() -> AuditEvent {
        let uuid = uuid::Uuid::from_u128(1);
        AuditEvent {
            id: EventId::from_uuid(uuid),
            date: Instant::UNIX_EPOCH,
            action: AuditAction::ApiTokenCreated,
            actor: UserInfo {
                user_id: UserId::from_uuid(uuid),
                user_name: "two\nlines \"quoted\" \u{2028}".to_owned(),
            },
            actor_token: None,
            client_address: Some([192, 0, 2, 1].into()),
            request_id: None,
            target: AuditTarget::ApiToken(ApiTokenId::from_uuid(uuid)),
            changes: vec![AuditChange::set("name", "\u{0}")],
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let lines = Lines::of(&[event(), event()]).unwrap();
        let text = std::str::from_utf8(lines.bytes()).unwrap();
        let lines: Vec<&str> = text.split_terminator('\n').collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            lines[0],
            "{\"id\":\"evt_0000000000000000000001\",\"date\":\"1970-01-01T00:00:00Z\",\
             \"action\":\"API_TOKEN_CREATED\",\"actor\":{\"userId\":\"usr_0000000000000000000001\",\
             \"userName\":\"two\\nlines \\\"quoted\\\" \u{2028}\"},\"actorApiTokenId\":null,\
             \"clientAddress\":\"192.0.2.1\",\"requestId\":null,\
             \"targetId\":\"tok_0000000000000000000001\",\
             \"changes\":[{\"field\":\"name\",\"before\":null,\"after\":\"\\u0000\"}]}"
        );
    }

    #[test]
    fn only_whole_lines_count() {
        let lines = Lines::of(&[event(), event()]).unwrap();
        let one = lines.bytes().len() / 2;
        for (bytes, expected) in [
            (0, (0, 0)),
            (one - 1, (0, 0)),
            (one, (1, one)),
            (2 * one - 1, (1, one)),
            (2 * one, (2, 2 * one)),
        ] {
            assert_eq!(lines.whole_in(bytes), expected, "{bytes}");
        }
    }
}
