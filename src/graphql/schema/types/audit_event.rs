//! The record of what somebody did.

use async_graphql::parser::types::Field;
use async_graphql::{Enum, ID, Object, SimpleObject};

use super::UserInfo;
use crate::domain::audit;
use crate::graphql::schema::plain::Plain;
use crate::graphql::schema::scalars::DateTime;

/// An audit event.
pub(in crate::graphql) struct AuditEvent(pub(in crate::graphql) audit::AuditEvent);

/// One action. It is recorded in the transaction that did it, and never changes. Refusals are
/// recorded within two minutes.
#[Object]
impl AuditEvent {
    /// `evt_...`. Opaque.
    pub(in crate::graphql) async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// When it happened. Dates follow the order of the list: if a server's clock is behind, its
    /// events are dated just after the newest one.
    async fn date(&self) -> DateTime {
        self.0.date.into()
    }

    /// What was done.
    async fn action(&self) -> AuditAction {
        self.0.action.into()
    }

    /// Who did it.
    async fn actor(&self) -> UserInfo {
        UserInfo(self.0.actor.clone())
    }

    /// The token that the actor used, `tok_...`; it may have been deleted since. Null for the
    /// command line, and for what the server does by itself.
    async fn actor_api_token_id(&self) -> Option<ID> {
        self.0.actor_token.map(ID::from)
    }

    /// The client address. Null for the command line and for what the server does by itself, and if
    /// it was unknown.
    async fn client_address(&self) -> Option<String> {
        self.0.client_address.map(|address| address.to_string())
    }

    /// The id of the request, as in the header `x-request-id` of its answer and in the log. Null
    /// for the command line, and for what the server does by itself.
    async fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The token that was acted on, `tok_...`, which may have been deleted since, or the policy,
    /// `pol_...`.
    async fn target_id(&self) -> ID {
        self.0.target.into()
    }

    /// What changed, field by field. Never a secret.
    async fn changes(&self) -> Vec<AuditChange> {
        self.0.changes.iter().map(AuditChange::from).collect()
    }
}

impl Plain for AuditEvent {
    fn is_plain(field: &Field) -> bool {
        matches!(
            field.name.node.as_str(),
            "id" | "date"
                | "action"
                | "actorApiTokenId"
                | "clientAddress"
                | "requestId"
                | "targetId"
        )
    }
}

/// A field that changed.
#[derive(SimpleObject)]
pub(in crate::graphql) struct AuditChange {
    /// The field's name, as in `ApiToken` or `Policy`; `labels.KEY` for the label with this key;
    /// `revocation` and `reason` of a revocation.
    field: String,
    /// Its value before, as text. Null if there was none.
    before: Option<String>,
    /// Its value after, as text. Null if there is none.
    after: Option<String>,
}

impl From<&audit::AuditChange> for AuditChange {
    fn from(change: &audit::AuditChange) -> Self {
        let audit::AuditChange { field, before, after } = change.clone();
        Self { field: field.into_owned(), before, after }
    }
}

/// The kinds of action that are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "audit::AuditAction")]
pub(in crate::graphql) enum AuditAction {
    /// An API token was created.
    ApiTokenCreated,
    /// The settings of an API token were changed.
    ApiTokenUpdated,
    /// An API token was renewed: another one took its place.
    ApiTokenRenewed,
    /// An API token was deleted.
    ApiTokenDeleted,
    /// An API token was revoked by `revokeApiTokens` or `tokenwright admin revoke`, alone or together
    /// with others: it is disabled. `changes` has the run (`revocation`, `rev_...`) and the `reason`.
    ApiTokenRevoked,
    /// An API token asked for changes that it may not make. `actor` is its user; `targetId` is the
    /// token that was out of reach, else its own. `changes` has what was `denied` and the `reason`.
    /// Denials of one kind within a minute are one event, with their `count` and the instants of
    /// the `first` and the `last`; address and request id are those of the first.
    ApiTokenChangeDenied,
    /// The genuine secret of an API token was used after its end, or against the policy: `changes`
    /// has the `reason` (`deleted`, `expired`, `disabled`, `policy_max_lifetime`,
    /// `policy_allowed_addresses` or `policy_idle`), counted like denials.
    ApiTokenUseRefused,
    /// The policy was changed.
    PolicyUpdated,
    /// An API token ends soon. The server notices that by itself, as its setting `expiry-notices`
    /// says: `actor` is the system user. `changes` has the `effectiveExpiry`, the time before it at
    /// which the `notice` was due, and how much of it is `left`.
    ApiTokenExpiring,
    /// An API token has ended: `changes` has the `effectiveExpiry`. Noticed like
    /// `API_TOKEN_EXPIRING`.
    ApiTokenExpired,
}
