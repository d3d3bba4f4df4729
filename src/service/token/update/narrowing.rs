//! How a change may narrow the grant of a token, which it never widens, and what else it sets.

use super::UpdateApiToken;
use super::enabling::{self, Disabling};
use crate::domain::address::AllowedAddresses;
use crate::domain::api_token::ApiToken;
use crate::domain::api_token_change::ApiTokenChange;
use crate::domain::catalogue::{Catalogue, CatalogueEntry};
use crate::domain::clock::Instant;
use crate::domain::description::Description;
use crate::domain::fault::{Field, InputFault};
use crate::domain::label::Labels;
use crate::domain::name::ApiTokenName;
use crate::domain::permission::PermissionSet;
use crate::service::token::input::{self, Found};

/// A requested change, to be compared with the current token.
pub(super) struct Narrowing<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) wanted: &'a UpdateApiToken,
    pub(super) now: Instant,
}

impl Narrowing<'_> {
    /// The change to this token, with the checked name, or everything that is wrong with the input.
    pub(super) fn of(
        &self,
        token: &ApiToken,
        name: Option<Found<ApiTokenName>>,
        disabling: Option<Disabling>,
    ) -> Found<ApiTokenChange> {
        let expiry = self.expiry(token);
        let permissions = self.permissions(token);
        let addresses = self.addresses(token);
        let name = name.transpose();
        let enabled = enabling::enabled(self.wanted, disabling);
        let descendants = enabling::descendants(self.wanted);
        let purpose = input::both(self.description(), self.labels());
        let rest = input::combine(addresses, enabled, descendants, purpose);
        let (name, expiry, permissions, (allowed_addresses, enabled, (), (description, labels))) =
            input::combine(name, expiry, permissions, rest)?;
        Ok(ApiTokenChange {
            name: name.filter(|name| name.as_str() != token.name),
            description: description.filter(|text| text.as_str() != token.description),
            labels: labels.filter(|labels| *labels != token.labels),
            enabled,
            permissions: permissions.filter(|permissions| *permissions != token.permissions),
            allowed_addresses: allowed_addresses.filter(|list| *list != token.allowed_addresses),
            expiry: expiry.filter(|expiry| *expiry != token.expiry),
        })
    }

    fn description(&self) -> Found<Option<Description>> {
        let description = self.wanted.description.as_deref().map(Description::parse);
        description.transpose().map_err(|fault| vec![fault])
    }

    fn labels(&self) -> Found<Option<Labels>> {
        let labels = self.wanted.labels.as_deref();
        labels.map(|labels| Labels::parse(Field::Labels, labels)).transpose()
    }

    /// The maximum lifetime does not matter here: an earlier expiry is always narrower.
    fn expiry(&self, token: &ApiToken) -> Found<Option<Instant>> {
        let Some(expiry) = self.wanted.expiry else { return Ok(None) };
        let expiry = input::instant(expiry)?;
        if expiry != token.expiry && expiry <= self.now {
            let message =
                "The expiry must be in the future; to end the token now, disable or delete it.";
            return Err(vec![input::expiry_past(message)]);
        }
        if expiry > token.expiry {
            let message = "The expiry is later than that of the token. An expiry is never \
                           extended; renew the token instead.";
            return Err(vec![InputFault::invalid(Field::Expiry, "expiry_widened", message)]);
        }
        Ok(Some(expiry))
    }

    /// A deprecated permission that the token has already may stay.
    fn permissions(&self, token: &ApiToken) -> Found<Option<PermissionSet>> {
        let Some(codes) = &self.wanted.permissions else { return Ok(None) };
        let held = |entry: &CatalogueEntry| {
            let code = &entry.code;
            if token.permissions.contains(code.as_str()) {
                return Ok(());
            }
            let message = format!(
                "The token does not have the permission {code}. A token never gets more \
                 permissions; create another token."
            );
            Err(InputFault::invalid(Field::Permissions, "permission_widened", message))
        };
        input::permissions(self.catalogue, codes, held).map(Some)
    }

    fn addresses(&self, token: &ApiToken) -> Found<Option<AllowedAddresses>> {
        let Some(texts) = &self.wanted.allowed_addresses else { return Ok(None) };
        let widened = |message: String| {
            InputFault::invalid(Field::AllowedAddresses, "addresses_widened", message)
        };
        if texts.is_empty() && !token.allowed_addresses.is_any() {
            let message = "An empty list allows any address, but the token is limited to some. \
                           A token never gets more addresses; create another token.";
            return Err(vec![widened(message.to_owned())]);
        }
        let reach = token.allowed_addresses.reach();
        let within = |network| {
            if reach.covers(network) {
                return Ok(());
            }
            Err(widened(format!(
                "{network} is not within the allowed addresses of the token. A token never gets \
                 more addresses; create another token."
            )))
        };
        input::addresses(texts, within).map(Some)
    }
}
