//! Rules that the input of more than one use case must meet. All faults of an input are found
//! before any is reported.

use super::RequestedExpiry;
use crate::db::DbError;
use crate::domain::address::{AllowedAddresses, IpNetwork, MAX_ADDRESSES};
use crate::domain::catalogue::{Catalogue, CatalogueEntry};
use crate::domain::clock::{Instant, written};
use crate::domain::description::Description;
use crate::domain::fault::{Field, InputFault, shown};
use crate::domain::id::ApiTokenId;
use crate::domain::label::Labels;
use crate::domain::name::ApiTokenName;
use crate::domain::permission::PermissionSet;
use crate::domain::policy::Policy;
use crate::domain::principal::Principal;
use crate::service::Service;

/// Faults of one list that are reported one by one; the rest are counted.
const REPORTED_PER_LIST: usize = 10;

/// A checked value, or everything that is wrong with the input.
pub(super) type Found<T> = Result<T, Vec<InputFault>>;

impl Service {
    /// A name that no other live token has. `own`: the token that may have it already.
    pub(super) async fn check_name(
        &self,
        name: &str,
        own: Option<ApiTokenId>,
    ) -> Result<Found<ApiTokenName>, DbError> {
        let name = match ApiTokenName::parse(name) {
            Ok(name) => name,
            Err(fault) => return Ok(Err(vec![fault])),
        };
        let holder = self.repository.name_holder(name.key()).await?;
        let taken = holder.is_some_and(|holder| Some(holder) != own);
        Ok(if taken { Err(vec![name_taken()]) } else { Ok(name) })
    }

    /// The expiry of a new token: in the future, within the maximum lifetime of the server and of the
    /// policy and, if the server is set so, within the lifetime of the token that makes it.
    pub(super) fn check_lifetime(
        &self,
        maker: &Principal,
        expiry: RequestedExpiry,
        policy: &Policy,
        now: Instant,
    ) -> Found<Instant> {
        let expiry = instant(expiry)?;
        if expiry <= now {
            return Err(vec![expiry_past("The expiry must be in the future.")]);
        }
        let last = self.latest_expiry(now);
        if expiry > last {
            let lifetime = self.max_lifetime;
            let last = last.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            let message =
                format!("The expiry must not be more than {lifetime} away: {last} at most.");
            return Err(vec![InputFault::invalid(Field::Expiry, "expiry_too_far", message)]);
        }
        if let Some(last) = policy.latest_expiry(now).filter(|last| expiry > *last) {
            let message = format!(
                "The policy lets a token that is created now live until {} at most.",
                last.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
            );
            return Err(vec![InputFault::invalid(Field::Expiry, "expiry_beyond_policy", message)]);
        }
        let own = maker.api_token().map(|own| policy.effective_expiry(own));
        let own = own.filter(|_| self.lifetime_within_maker);
        if let Some(own) = own.filter(|own| expiry > *own) {
            let message = format!(
                "On this server, a token ends no later than the one that makes it; yours ends {}.",
                written(own)
            );
            return Err(vec![InputFault::invalid(Field::Expiry, "expiry_beyond_maker", message)]);
        }
        Ok(expiry)
    }
}

/// Both values, or the faults of both.
pub(super) fn both<A, B>(one: Found<A>, two: Found<B>) -> Found<(A, B)> {
    combine(one, two, Ok(()), Ok(())).map(|(one, two, (), ())| (one, two))
}

/// All values, or the faults of all of them.
pub(super) fn combine<A, B, C, D>(
    one: Found<A>,
    two: Found<B>,
    three: Found<C>,
    four: Found<D>,
) -> Found<(A, B, C, D)> {
    match (one, two, three, four) {
        (Ok(one), Ok(two), Ok(three), Ok(four)) => Ok((one, two, three, four)),
        (one, two, three, four) => {
            let faults = [one.err(), two.err(), three.err(), four.err()];
            Err(faults.into_iter().flatten().flatten().collect())
        }
    }
}

/// The instant that was asked for.
pub(super) fn instant(expiry: RequestedExpiry) -> Found<Instant> {
    expiry.instant().ok_or_else(|| {
        let message = "The expiry must be an instant of RFC 3339 with a zone, such as \
                       2027-01-31T12:00:00Z.";
        vec![InputFault::invalid(Field::Expiry, "expiry_syntax", message)]
    })
}

/// Permissions that the catalogue knows, at least one, each of which passes `judge`.
pub(super) fn permissions(
    catalogue: &Catalogue,
    codes: &[String],
    judge: impl Fn(&CatalogueEntry) -> Result<(), InputFault>,
) -> Found<PermissionSet> {
    if codes.is_empty() {
        let message = "At least one permission is needed.";
        return Err(vec![InputFault::invalid(Field::Permissions, "permissions_empty", message)]);
    }
    let checked = codes.iter().map(|code| match catalogue.by_code(code) {
        Some(entry) => judge(entry).map(|()| entry.code.clone()),
        None => {
            let code = shown(code);
            let message = format!("There is no permission `{code}` on this server.");
            Err(InputFault::invalid(Field::Permissions, "permission_unknown", message))
        }
    });
    each(checked).map(PermissionSet::from_iter)
}

/// Addresses and networks in their strict form, not too many, each of which passes `judge`. An
/// empty list passes.
pub(super) fn addresses(
    texts: &[String],
    judge: impl Fn(IpNetwork) -> Result<(), InputFault>,
) -> Found<AllowedAddresses> {
    let field = Field::AllowedAddresses;
    if texts.len() > MAX_ADDRESSES {
        let message = format!("At most {MAX_ADDRESSES} addresses are allowed.");
        return Err(vec![InputFault::invalid(field, "addresses_too_many", message)]);
    }
    let checked = texts.iter().map(|text| {
        let network = IpNetwork::parse(text).map_err(|wrong| {
            InputFault::invalid(field, wrong.reason(), format!("`{}` {wrong}.", shown(text)))
        })?;
        judge(network).map(|()| network)
    });
    each(checked).map(AllowedAddresses::from_iter)
}

/// The addresses of a new token, which must be some where the policy requires that.
pub(super) fn as_required<'a>(
    policy: &Policy,
    addresses: &'a AllowedAddresses,
    field: Field,
    now: Instant,
) -> Found<&'a AllowedAddresses> {
    if addresses.is_any() && policy.allowed_addresses.covers(now) {
        let message = "The policy requires allowed addresses: a token that can be used from any \
                       address would be refused.";
        return Err(vec![InputFault::invalid(field, "addresses_required", message)]);
    }
    Ok(addresses)
}

/// What a token is for: its description and its labels.
pub(super) fn purpose(
    description: &str,
    labels: &[(String, String)],
) -> Found<(Description, Labels)> {
    let description = Description::parse(description).map_err(|fault| vec![fault]);
    both(description, Labels::parse(Field::Labels, labels))
}

/// Another live token has the name that was asked for. This tells a caller that may write, but not
/// read, which names exist. It stays: names are unique, so that people can rely on them, and a
/// client that is refused must know why, to choose another one. Any other refusal of an input
/// without a fault would say the same. Whose name it is remains hidden.
pub(super) fn name_taken() -> InputFault {
    let message = "Another token has this name; names are compared without regard to case and to \
                   compatible characters.";
    InputFault::taken(Field::Name, "name_taken", message)
}

/// A change of a token whose version cannot get any larger.
pub(super) fn version_exhausted(field: Field, message: &str) -> InputFault {
    InputFault::invalid(field, "version_exhausted", message)
}

/// An expiry that is not in the future.
pub(super) fn expiry_past(message: &str) -> InputFault {
    InputFault::invalid(Field::Expiry, "expiry_past", message)
}

/// All values, or the faults with their positions: the first ones one by one, then a count.
fn each<T>(checked: impl Iterator<Item = Result<T, InputFault>>) -> Found<Vec<T>> {
    let mut values = Vec::new();
    let mut faults = Vec::new();
    let mut more = 0_usize;
    for (index, result) in checked.enumerate() {
        match result {
            Ok(value) => values.push(value),
            Err(fault) if faults.len() < REPORTED_PER_LIST => faults.push(fault.at(index)),
            Err(_) => more += 1,
        }
    }
    if let (Some(last), 1..) = (faults.last_mut(), more) {
        last.message.push_str(&format!(" ({more} more elements of this list have faults.)"));
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}
