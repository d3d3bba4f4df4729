//! Which tokens are renewed, and how.

use chrono::TimeDelta;

use super::RenewApiToken;
use crate::db::DbError;
use crate::domain::api_token::ApiToken;
use crate::domain::clock::Instant;
use crate::domain::fault::{Field, InputFault};
use crate::domain::id::ApiTokenId;
use crate::domain::name::ApiTokenName;
use crate::domain::principal::Principal;
use crate::domain::renewed_name::renewed_name;
use crate::service::Service;
use crate::service::token::input::{Found, as_required, both, combine};

/// An input without a fault.
pub(super) struct Checked {
    /// `None`: the name of the old token at that time, with the date.
    pub(super) name: Option<ApiTokenName>,
    pub(super) expiry: Instant,
    /// When the old token ends at the latest.
    pub(super) end: Option<Instant>,
}

impl Service {
    /// `orphan`: a token that may have the name, as the new one takes its place.
    pub(super) async fn check_renewal(
        &self,
        principal: &Principal,
        old: &ApiToken,
        wanted: &RenewApiToken,
        orphan: Option<ApiTokenId>,
        now: Instant,
    ) -> Result<Found<Checked>, DbError> {
        let enabled = ensure_enabled(old).map_err(|fault| vec![fault]);
        let name = match &wanted.name {
            Some(name) => self.check_name(name, orphan).await?.map(Some),
            None => self.check_dated_name(old, orphan, now).await?.map(|()| None),
        };
        let policy = self.repository.policy().await?.policy;
        let expiry = self.check_lifetime(principal, wanted.expiry, &policy, now);
        let addresses = as_required(&policy, &old.allowed_addresses, Field::Id, now);
        let end = end(wanted.overlap_seconds, now);
        let found = combine(both(enabled, addresses), name, expiry, end);
        Ok(found.map(|(_, name, expiry, end)| Checked { name, expiry, end }))
    }

    /// Is the default name of the renewal free?
    async fn check_dated_name(
        &self,
        old: &ApiToken,
        orphan: Option<ApiTokenId>,
        now: Instant,
    ) -> Result<Found<()>, DbError> {
        let name = match renewed_name(old, now) {
            Ok(name) => name,
            Err(fault) => return Ok(Err(vec![fault])),
        };
        let holder = self.repository.name_holder(name.key()).await?;
        let taken = holder.is_some_and(|holder| Some(holder) != orphan);
        Ok(if taken { Err(vec![dated_name_taken()]) } else { Ok(()) })
    }
}

/// A renewal of a disabled token would undo the disabling.
pub(super) fn ensure_enabled(old: &ApiToken) -> Result<(), InputFault> {
    if old.enabled {
        return Ok(());
    }
    let message =
        "The token is disabled, but its renewal would be enabled; enable the token first.";
    Err(InputFault::invalid(Field::Id, "token_disabled", message))
}

/// The end of the overlap; `None` if no overlap is requested, or if its end is beyond the calendar.
fn end(overlap_seconds: Option<i32>, now: Instant) -> Found<Option<Instant>> {
    let Some(seconds) = overlap_seconds else { return Ok(None) };
    if seconds < 0 {
        let message = "The overlap must not be negative; 0 ends the old token now.";
        return Err(vec![InputFault::invalid(Field::Overlap, "overlap_negative", message)]);
    }
    Ok(now.checked_add_signed(TimeDelta::seconds(seconds.into())))
}

/// Another live token has the default name of the renewal.
pub(super) fn dated_name_taken() -> InputFault {
    let message = "Another token already has the old name with today's date; give a name.";
    InputFault::taken(Field::Name, "name_taken", message)
}
