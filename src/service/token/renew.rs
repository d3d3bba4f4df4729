//! Renewing a token: its settings in a new token, with a secret and a user of its own.
//!
//! The checks run in this order: a token that does not exist or reaches further than the caller,
//! then all faults of the input.

mod check;

use serde_json::{Value, json};

use super::audit::{in_order, replaced, settings};
use super::denial::Attempt;
use super::input::{both, name_taken, version_exhausted};
use super::mint::Settings;
use super::once::{self, Keyed};
use super::{CreatedApiToken, RequestedExpiry};
use crate::domain::api_token::ApiToken;
use crate::domain::api_token_change::ApiTokenChange;
use crate::domain::audit::{AuditAction, AuditChange, AuditEvent, AuditTarget};
use crate::domain::fault::{Field, InputFault};
use crate::domain::id::ApiTokenId;
use crate::domain::principal::{CallerChanged, Origin, Principal};
use crate::domain::renewed_name::renewed_name;
use crate::metrics::Retry;
use crate::repository::{NotOnce, Renewal, Renewed, Unclaimed};
use crate::service::failure::ends_with_failure;
use crate::service::{Failure, Service};
use check::Checked;

/// How often a renewal starts again because the old token changed in the meantime. Each time
/// another change succeeded, so more than a few attempts mean that a client changes the token in an
/// endless loop.
const ATTEMPTS: usize = 10;

/// Which token a caller wants to be renewed, and how; unchecked.
#[derive(Debug, Clone)]
pub struct RenewApiToken {
    /// The token to renew.
    pub id: ApiTokenId,
    /// The expiry of the new token.
    pub expiry: RequestedExpiry,
    /// `None`: the old name with the date.
    pub name: Option<String>,
    /// Seconds from now until the old token ends, unless it ends earlier; `None`: it keeps its
    /// expiry.
    pub overlap_seconds: Option<i32>,
    /// With a key, the same request may come again: it makes another token in the place of the
    /// first one.
    pub idempotency_key: Option<String>,
}

/// Why a token was not renewed. Nothing was changed, unless it is [`Failure::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum RenewApiTokenError {
    /// It does not exist, was deleted, or reaches further than the caller: one answer for all
    /// three.
    #[error("There is nothing with this id.")]
    NotFound,
    /// Everything that is wrong with the input.
    #[error("the input has {} fault(s)", .0.len())]
    Refused(Vec<InputFault>),
    /// It failed for a reason that no other input would avoid.
    #[error(transparent)]
    Failed(Failure),
}

ends_with_failure!(RenewApiTokenError);

impl Service {
    /// Makes a token with the current settings of another one, and ends that one earlier where an
    /// overlap is given. A token may renew itself; an expired token can be renewed.
    ///
    /// # Errors
    /// When the caller may not, there is no such token within its reach, the input has faults, or
    /// something did not answer.
    pub async fn renew_api_token(
        &self,
        principal: &Principal,
        origin: &Origin,
        wanted: RenewApiToken,
    ) -> Result<CreatedApiToken, RenewApiTokenError> {
        self.may(principal, origin, AuditAction::ApiTokenRenewed)?;
        self.count_change(principal, self.clock.now()).await?;
        for _ in 0..once::ATTEMPTS {
            if let Some(created) = self.try_to_renew(principal, origin, &wanted).await? {
                return Ok(created);
            }
            self.metrics.retries.count(Retry::Renew);
        }
        Err(once::contended().into())
    }

    /// `None` if another request with the same key was faster.
    async fn try_to_renew(
        &self,
        principal: &Principal,
        origin: &Origin,
        wanted: &RenewApiToken,
    ) -> Result<Option<CreatedApiToken>, RenewApiTokenError> {
        let (id, now) = (wanted.id, self.clock.now());
        let attempt = Attempt { principal, origin, action: AuditAction::ApiTokenRenewed };
        let mut old = self.renewable(attempt, id).await?;
        let keyed = self.keyed(principal, wanted.idempotency_key.as_deref(), now).await?;
        let orphan = keyed.iter().flatten().find_map(Keyed::orphan);
        let checked = self.check_renewal(principal, &old, wanted, orphan, now).await?;
        if checked.is_err() && self.is_outdated(keyed.iter().flatten().next()).await? {
            return Ok(None);
        }
        let (checked, keyed) = match both(checked, keyed) {
            Ok(checked) => checked,
            Err(faults) => {
                self.ensure_current_caller(principal).await?;
                return Err(RenewApiTokenError::Refused(faults));
            }
        };
        if orphan.is_none() {
            self.ensure_room(principal, now).await?;
        }
        let (minted, secret) = self.mint(now).await?;
        let event =
            |action, id| self.event(action, AuditTarget::ApiToken(id), now, principal, origin);
        let mut updated = event(AuditAction::ApiTokenUpdated, id)?;
        let mut renewed = event(AuditAction::ApiTokenRenewed, minted.id)?;
        let mut asked = match keyed.clone() {
            Some(keyed) => {
                let once =
                    self.once(keyed, &canonical(wanted, &checked), minted.id, principal, origin)?;
                Some(once.map_err(refused)?)
            }
            None => None,
        };
        // First the orphan and the old token end, then the new one exists.
        match asked.as_mut().and_then(|once| once.orphan.as_mut()) {
            Some(orphan) => in_order([&mut orphan.event, &mut updated, &mut renewed]),
            None => in_order([&mut updated, &mut renewed]),
        }
        for _ in 0..ATTEMPTS {
            let name = match &checked.name {
                Some(name) => name.clone(),
                None => renewed_name(&old, now).map_err(refused)?,
            };
            let settings_of_new = Settings {
                name,
                description: old.description.clone(),
                labels: old.labels.clone(),
                expiry: checked.expiry,
                // Deprecated permissions are kept: the holder of the renewal is not new.
                permissions: old.permissions.clone(),
                allowed_addresses: old.allowed_addresses.clone(),
                renewed_from: Some(id),
            };
            let new = minted.clone().into_token(settings_of_new, principal.user());
            let token = new.token.clone();
            let mut changes = settings(&token);
            changes.push(AuditChange::set("renewedFrom", id.to_string()));
            let event = AuditEvent { changes, ..renewed.clone().after(old.last_modified_date) };
            let end = checked.end.filter(|end| *end < old.expiry).map(|end| {
                let change = ApiTokenChange { expiry: Some(end), ..ApiTokenChange::default() };
                let changes = replaced(&old, &change);
                (change, AuditEvent { changes, ..updated.clone().after(old.last_modified_date) })
            });
            if end.is_some() && old.version == i32::MAX {
                return Err(refused(version_exhausted(
                    Field::Overlap,
                    "The old token has the largest version there is and cannot be ended earlier; \
                     leave the overlap out, and delete it.",
                )));
            }
            let renewal = Renewal { new, event, end, once: asked.clone() };
            match self.repository.renew_api_token(principal, &old, renewal).await? {
                Renewed::Done => {
                    self.counts.made(principal.user_id());
                    tracing::info!(token_id = %token.id, user_id = %token.user_id,
                        renewed_from = %id, by = %principal.user_id(), "API token renewed");
                    return Ok(Some(CreatedApiToken { token, secret }));
                }
                Renewed::NotOnce(NotOnce::Raced) => return Ok(None),
                Renewed::NotOnce(NotOnce::Spent) => return Err(refused(once::spent())),
                Renewed::NameTaken if self.is_outdated(keyed.as_ref()).await? => return Ok(None),
                Renewed::NameTaken if checked.name.is_some() => return Err(refused(name_taken())),
                Renewed::NameTaken => return Err(refused(check::dated_name_taken())),
                Renewed::Unclaimed(Unclaimed::NotFound) => {
                    return Err(RenewApiTokenError::NotFound);
                }
                Renewed::Unclaimed(Unclaimed::CallerChanged) => return Err(CallerChanged.into()),
                // Try again with the token as it is now, if the caller may still renew it.
                Renewed::Unclaimed(Unclaimed::Stale { .. }) => {
                    self.metrics.retries.count(Retry::Renew);
                    old = self.renewable(attempt, id).await?;
                    check::ensure_enabled(&old).map_err(refused)?;
                }
            }
        }
        Err(Failure::Unavailable(format!("{id} changed {ATTEMPTS} times while it was renewed"))
            .into())
    }

    /// A token within the caller's reach, all of whose permissions this server knows.
    async fn renewable(
        &self,
        attempt: Attempt<'_>,
        id: ApiTokenId,
    ) -> Result<ApiToken, RenewApiTokenError> {
        let old = self.within_reach(attempt, id).await?.ok_or(RenewApiTokenError::NotFound)?;
        // Another instance may have a newer catalogue. A permission that this instance cannot show
        // must not be granted again: the answer would fail, and the secret in it would be lost.
        if let Some(code) = self.catalogue.unknown(&old.permissions).next() {
            return Err(Failure::Defect(format!("{id} holds the unknown {code}")).into());
        }
        Ok(old)
    }
}

fn refused(fault: InputFault) -> RenewApiTokenError {
    RenewApiTokenError::Refused(vec![fault])
}

/// What is asked for, in one form.
fn canonical(wanted: &RenewApiToken, checked: &Checked) -> Value {
    let expiry = checked.expiry.timestamp_micros();
    json!(["renew", wanted.id.to_string(), expiry, wanted.name, wanted.overlap_seconds])
}
