//! Keys with which a client makes it safe to send a request again.

use serde_json::Value;

use super::input::Found;
use crate::db::DbError;
use crate::domain::audit::{AuditAction, AuditChange, AuditEvent, AuditTarget};
use crate::domain::clock::Instant;
use crate::domain::fault::{Field, InputFault};
use crate::domain::id::ApiTokenId;
use crate::domain::idempotency::{Fingerprint, IdempotencyKey, KEPT};
use crate::domain::principal::{Origin, Principal};
use crate::domain::random::RandomError;
use crate::repository::{Once, Orphan, UsedKey};
use crate::service::{Failure, Service};

/// How often a request starts again because another one with its key was faster. The next attempt
/// finds what that one made.
pub(super) const ATTEMPTS: usize = 10;

/// A key that came with a request, and what it was used for before.
#[derive(Clone)]
pub(super) struct Keyed {
    key: Fingerprint,
    date: Instant,
    used: Option<UsedKey>,
}

impl Keyed {
    /// The token of an earlier request, which may have the name that is asked for.
    pub(super) fn orphan(&self) -> Option<ApiTokenId> {
        self.used.as_ref().map(|used| used.token)
    }
}

impl Service {
    /// The key of a request, if it has one. Each user has keys of its own.
    pub(super) async fn keyed(
        &self,
        principal: &Principal,
        key: Option<&str>,
        date: Instant,
    ) -> Result<Found<Option<Keyed>>, DbError> {
        let Some(key) = key else { return Ok(Ok(None)) };
        let key = match IdempotencyKey::parse(key) {
            Ok(key) => key.of(principal.user_id()),
            Err(fault) => return Ok(Err(vec![fault])),
        };
        let used = self.repository.used_key(key, date - KEPT).await?;
        Ok(Ok(Some(Keyed { key, date, used })))
    }

    /// Did another request with the key come in between? Its token may have the name.
    pub(super) async fn is_outdated(&self, keyed: Option<&Keyed>) -> Result<bool, DbError> {
        let Some(Keyed { key, date, used }) = keyed else { return Ok(false) };
        Ok(self.repository.used_key(*key, *date - KEPT).await? != *used)
    }

    /// What is stored of a request with a key and this input, which makes the token `new`.
    ///
    /// # Errors
    /// When the key was used for another input, or for a token that is in use.
    pub(super) fn once(
        &self,
        keyed: Keyed,
        input: &Value,
        new: ApiTokenId,
        principal: &Principal,
        origin: &Origin,
    ) -> Result<Result<Once, InputFault>, RandomError> {
        let Keyed { key, date, used } = keyed;
        let input = Fingerprint::of_input(input);
        let orphan = match used {
            Some(used) if !used.is_for(input) => return Ok(Err(reused())),
            Some(used) if self.last_uses.has(used.token) => return Ok(Err(spent())),
            Some(UsedKey { token: id, .. }) => {
                let target = AuditTarget::ApiToken(id);
                let deleted = AuditAction::ApiTokenDeleted;
                let event = self.event(deleted, target, date, principal, origin)?;
                let changes = vec![AuditChange::set("replacedBy", new.to_string())];
                Some(Orphan { id, event: AuditEvent { changes, ..event } })
            }
            None => None,
        };
        Ok(Ok(Once { key, input, date, orphan }))
    }
}

/// The key belongs to another request.
fn reused() -> InputFault {
    let message = "This idempotency key was used with another input in the last 24 hours; send \
                   that input again, or choose another key.";
    InputFault::taken(Field::IdempotencyKey, "idempotency_key_reused", message)
}

/// The token of the earlier request is in somebody's hands.
pub(super) fn spent() -> InputFault {
    let message = "An earlier request with this idempotency key created a token that was used, \
                   changed, renewed or deleted since, so it is not replaced; choose another key \
                   for another token.";
    InputFault::taken(Field::IdempotencyKey, "idempotency_key_spent", message)
}

/// Too many requests with one key at the same time.
pub(super) fn contended() -> Failure {
    Failure::Unavailable(format!("{ATTEMPTS} other requests with the same key were faster"))
}
