//! Every rule that the input must meet. All faults are found before any is reported.

use chrono::TimeDelta;

use crate::domain::address::MAX_ADDRESSES;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::name::ApiTokenName;

use super::{
    AllowedAddresses, CreateApiToken, CreateApiTokenError, InputFault, Instant, IpNetwork,
    PermissionCode, PermissionSet, Principal, RequestedExpiry, Service,
};

/// Faults of one list that are told one by one; the rest are counted.
const TOLD_PER_LIST: usize = 10;

/// An input without a fault.
pub(super) struct Checked {
    pub(super) name: ApiTokenName,
    pub(super) expiry: Instant,
    pub(super) permissions: PermissionSet,
    pub(super) allowed_addresses: AllowedAddresses,
}

type Found<T> = Result<T, Vec<InputFault>>;

impl Service {
    pub(super) async fn check(
        &self,
        principal: &Principal,
        wanted: &CreateApiToken,
        now: Instant,
    ) -> Result<Checked, CreateApiTokenError> {
        let name = self.check_name(&wanted.name).await?;
        let expiry = self.check_expiry(wanted.expiry, now);
        let permissions = self.check_permissions(principal, &wanted.permissions);
        let addresses = check_addresses(principal, &wanted.allowed_addresses);
        match (name, expiry, permissions, addresses) {
            (Ok(name), Ok(expiry), Ok(permissions), Ok(allowed_addresses)) => {
                Ok(Checked { name, expiry, permissions, allowed_addresses })
            }
            (name, expiry, permissions, addresses) => {
                let faults = [name.err(), expiry.err(), permissions.err(), addresses.err()];
                let faults = faults.into_iter().flatten().flatten().collect();
                Err(CreateApiTokenError::Refused(faults))
            }
        }
    }

    async fn check_name(&self, name: &str) -> Result<Found<ApiTokenName>, CreateApiTokenError> {
        let name = match ApiTokenName::parse(name) {
            Ok(name) => name,
            Err(fault) => return Ok(Err(vec![fault])),
        };
        let taken = self.repository.is_name_taken(name.key()).await?;
        Ok(if taken { Err(vec![name_taken()]) } else { Ok(name) })
    }

    fn check_expiry(&self, expiry: RequestedExpiry, now: Instant) -> Found<Instant> {
        let refuse =
            |reason, message: String| Err(vec![InputFault::invalid("expiry", reason, message)]);
        let Some(expiry) = expiry.instant() else {
            let message = "The expiry must be an instant of RFC 3339 with a zone, such as \
                           2027-01-31T12:00:00Z.";
            return refuse("expiry_syntax", message.to_owned());
        };
        if expiry <= now {
            return refuse("expiry_past", "The expiry must be in the future.".to_owned());
        }
        if expiry - now > self.max_lifetime {
            let lifetime = for_people(self.max_lifetime);
            let last = now + self.max_lifetime;
            let last = last.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            let message =
                format!("The expiry must not be more than {lifetime} away: {last} at most.");
            return refuse("expiry_too_far", message);
        }
        Ok(expiry)
    }

    fn check_permissions(&self, principal: &Principal, codes: &[String]) -> Found<PermissionSet> {
        if codes.is_empty() {
            let message = "At least one permission is needed.";
            return Err(vec![InputFault::invalid("permissions", "permissions_empty", message)]);
        }
        let checked = codes.iter().map(|code| match self.catalogue.by_code(code) {
            Some(entry) => check_permission(principal, entry),
            None => {
                let code = shown(code);
                let message = format!("There is no permission `{code}` on this server.");
                Err(InputFault::invalid("permissions", "permission_unknown", message))
            }
        });
        each(checked).map(PermissionSet::from_iter)
    }
}

fn check_permission(
    principal: &Principal,
    entry: &CatalogueEntry,
) -> Result<PermissionCode, InputFault> {
    let code = &entry.code;
    if let Some(reason) = &entry.deprecated {
        let message =
            format!("The permission {code} is deprecated and not granted any more: {reason}");
        return Err(InputFault::invalid("permissions", "permission_deprecated", message));
    }
    if !principal.has(code.as_str()) {
        let message = format!("You cannot grant the permission {code}, which you do not have.");
        return Err(InputFault::beyond_reach("permissions", "permission_beyond_reach", message));
    }
    Ok(code.clone())
}

fn check_addresses(principal: &Principal, texts: &[String]) -> Found<AllowedAddresses> {
    let field = "allowedAddresses";
    if texts.len() > MAX_ADDRESSES {
        let message = format!("At most {MAX_ADDRESSES} addresses are possible.");
        return Err(vec![InputFault::invalid(field, "addresses_too_many", message)]);
    }
    let reach = principal.address_reach();
    if texts.is_empty() && reach != crate::domain::address::AddressReach::Any {
        let message = "An empty list allows any address, and you are allowed only some: name \
                       addresses within your own.";
        return Err(vec![InputFault::beyond_reach(field, "addresses_beyond_reach", message)]);
    }
    let checked = texts.iter().map(|text| {
        let network = IpNetwork::parse(text).map_err(|wrong| {
            InputFault::invalid(field, wrong.reason(), format!("`{}` {wrong}.", shown(text)))
        })?;
        if reach.covers(network) {
            Ok(network)
        } else {
            let message = format!("{network} is not within the addresses that you are allowed.");
            Err(InputFault::beyond_reach(field, "addresses_beyond_reach", message))
        }
    });
    each(checked).map(AllowedAddresses::from_iter)
}

/// What was given, as it can stand in a message.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// A duration in whole days where it is one, as operators set it; else down to its smallest unit.
fn for_people(lifetime: TimeDelta) -> String {
    match lifetime.num_days() {
        1 if lifetime == TimeDelta::days(1) => "1 day".to_owned(),
        days if lifetime == TimeDelta::days(days) => format!("{days} days"),
        _ => humantime::format_duration(lifetime.to_std().unwrap_or_default()).to_string(),
    }
}

/// All values, or the faults with their places, the first ones told one by one.
fn each<T>(checked: impl Iterator<Item = Result<T, InputFault>>) -> Found<Vec<T>> {
    let mut values = Vec::new();
    let mut faults = Vec::new();
    let mut more = 0_usize;
    for (index, result) in checked.enumerate() {
        match result {
            Ok(value) => values.push(value),
            Err(fault) if faults.len() < TOLD_PER_LIST => faults.push(fault.at(index)),
            Err(_) => more += 1,
        }
    }
    if let (Some(last), 1..) = (faults.last_mut(), more) {
        last.message.push_str(&format!(" ({more} more elements of this list are refused.)"));
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

pub(super) fn name_taken() -> InputFault {
    let message = "Another token has this name; names are compared without regard to case and to \
                   compatible characters.";
    InputFault::taken("name", "name_taken", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_for_people() {
        assert_eq!(for_people(TimeDelta::days(730)), "730 days");
        assert_eq!(for_people(TimeDelta::hours(24)), "1 day");
        assert_eq!(for_people(TimeDelta::hours(12)), "12h");
        assert_eq!(for_people(TimeDelta::minutes(36 * 60 + 5)), "1day 12h 5m");
    }
}
