//! Renewing a token: its settings in a new token, with a secret and a user of its own.
//!
//! Refusals come in this order: a token that is not there or reaches further than the caller, then all
//! faults of the input together.

mod check;

use std::sync::Arc;

use super::audit::{replaced, settings};
use super::check::name_taken;
use super::new_api_token::Settings;
use super::{CreatedApiToken, ProofBusy, RequestedExpiry, Service};
use crate::db::DbError;
use crate::domain::api_token::ApiToken;
use crate::domain::api_token_change::ApiTokenChange;
use crate::domain::audit::{AuditAction, AuditChange, AuditEvent};
use crate::domain::fault::InputFault;
use crate::domain::id::ApiTokenId;
use crate::domain::permission::{PermissionCode, required};
use crate::domain::principal::{CallerChanged, MissingPermission, Origin, Principal};
use crate::domain::random::RandomError;
use crate::domain::renewed_name::renewed_name;
use crate::repository::{Changed, Plan};

/// Which token a caller wants to be renewed, and how; unchecked.
#[derive(Debug, Clone)]
pub struct RenewApiToken {
    pub id: ApiTokenId,
    /// The expiry of the new token.
    pub expiry: RequestedExpiry,
    /// None: the old name with the date.
    pub name: Option<String>,
    /// Seconds from now to the end of the old token, if it would not end sooner; none: it keeps its
    /// expiry.
    pub overlap_seconds: Option<i32>,
}

/// Why a token was not renewed. Nothing was changed, unless it is [`DbError::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum RenewApiTokenError {
    #[error(transparent)]
    Forbidden(#[from] MissingPermission),
    /// A token that reaches further than the caller is told apart from none by nobody.
    #[error("There is nothing with this id.")]
    NotFound,
    /// All that is wrong with the input.
    #[error("the input has {} fault(s)", .0.len())]
    Refused(Vec<InputFault>),
    /// Another instance may have a newer catalogue. What this one cannot show it does not grant anew,
    /// and an answer that fails to show it would take the secret with it.
    #[error("{0} holds the unknown {1}")]
    UnknownPermission(ApiTokenId, PermissionCode),
    #[error(transparent)]
    CallerChanged(#[from] CallerChanged),
    #[error(transparent)]
    Busy(#[from] ProofBusy),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Service {
    /// Makes a token with the settings of another one as they are then, and ends that one earlier where
    /// an overlap is given. A token may renew itself; an expired one can be renewed.
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
        principal.require(required::API_TOKENS_WRITE)?;
        let (id, now) = (wanted.id, self.clock.now());
        // Judged twice: now, so that all faults are told and nothing is hashed in vain, and in the
        // transaction, where it counts.
        let old = self.repository.api_token(id).await?.filter(|old| principal.reaches(old));
        let old = old.ok_or(RenewApiTokenError::NotFound)?;
        let checked = self.check_renewal(&old, &wanted, now).await?;
        check::ensure_known(&self.catalogue, &old)?;

        let (minted, secret) = self.mint::<RenewApiTokenError>(now).await?;
        let new_id = minted.id;
        let event = |action, target| self.event(action, target, now, principal, origin);
        let mut updated = event(AuditAction::ApiTokenUpdated, id)?;
        let mut renewed = event(AuditAction::ApiTokenRenewed, new_id)?;
        // Events of one instant are sorted by their ids: the old token ends, then there is the new one.
        if updated.id > renewed.id {
            std::mem::swap(&mut updated.id, &mut renewed.id);
        }
        let (catalogue, by) = (Arc::clone(&self.catalogue), principal.user().clone());
        let named = checked.name.is_some();
        let judge = move |old: &ApiToken| {
            check::ensure_enabled(old).map_err(|fault| RenewApiTokenError::Refused(vec![fault]))?;
            check::ensure_known(&catalogue, old)?;
            let name = checked.name.map_or_else(|| renewed_name(old, now), Ok);
            let settings_of_new = Settings {
                name: name.map_err(|fault| RenewApiTokenError::Refused(vec![fault]))?,
                expiry: checked.expiry,
                // The deprecated ones too: who holds the renewal is not new.
                permissions: old.permissions.clone(),
                allowed_addresses: old.allowed_addresses.clone(),
                renewed_from: Some(old.id),
            };
            let new = minted.into_token(settings_of_new, &by);
            let mut changes = settings(&new.token);
            changes.push(AuditChange::set("renewedFrom", old.id.to_string()));
            let renewal =
                Some((new, AuditEvent { changes, ..renewed.after(old.last_modified_date) }));
            let change = checked.end.filter(|end| *end < old.expiry).map(|end| {
                let change = ApiTokenChange { expiry: Some(end), ..ApiTokenChange::default() };
                let changes = replaced(old, &change);
                (change, AuditEvent { changes, ..updated.after(old.last_modified_date) })
            });
            Ok(Plan { change, renewal })
        };
        match self.repository.change_api_token(principal, id, None, judge).await? {
            Changed::Done(token) => {
                tracing::info!(token_id = %new_id, user_id = %token.user_id, renewed_from = %id,
                    by = %principal.user().user_id, "API token renewed");
                Ok(CreatedApiToken { token: *token, secret })
            }
            // No version was asked for, so none is stale.
            Changed::NotFound | Changed::Stale { .. } => Err(RenewApiTokenError::NotFound),
            Changed::Refused(error) => Err(error),
            Changed::NameTaken => {
                let fault = if named { name_taken() } else { check::dated_name_taken() };
                Err(RenewApiTokenError::Refused(vec![fault]))
            }
            Changed::CallerChanged => Err(CallerChanged.into()),
        }
    }
}
