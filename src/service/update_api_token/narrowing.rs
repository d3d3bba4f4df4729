//! What may become different about a token: its grant narrower, never wider.

use super::UpdateApiToken;
use crate::domain::address::AllowedAddresses;
use crate::domain::api_token::ApiToken;
use crate::domain::api_token_change::ApiTokenChange;
use crate::domain::catalogue::{Catalogue, CatalogueEntry};
use crate::domain::clock::Instant;
use crate::domain::fault::{Field, InputFault};
use crate::domain::name::ApiTokenName;
use crate::domain::permission::PermissionSet;
use crate::service::check::{self, Found};

/// A wanted change, to be held against the token as it is.
pub(super) struct Narrowing<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) wanted: &'a UpdateApiToken,
    pub(super) now: Instant,
}

impl Narrowing<'_> {
    /// What becomes different about this token, with the wanted name as it was checked, or all that is
    /// wrong with the input.
    pub(super) fn of(
        &self,
        token: &ApiToken,
        name: Option<Found<ApiTokenName>>,
    ) -> Found<ApiTokenChange> {
        let expiry = self.expiry(token);
        let permissions = self.permissions(token);
        let addresses = self.addresses(token);
        let name = name.transpose();
        let (name, expiry, permissions, allowed_addresses) =
            check::together(name, expiry, permissions, addresses)?;
        Ok(ApiTokenChange {
            name: name.filter(|name| name.as_str() != token.name),
            enabled: self.wanted.enabled.filter(|enabled| *enabled != token.enabled),
            permissions: permissions.filter(|permissions| *permissions != token.permissions),
            allowed_addresses: allowed_addresses.filter(|list| *list != token.allowed_addresses),
            expiry: expiry.filter(|expiry| *expiry != token.expiry),
        })
    }

    /// The maximum lifetime is not asked for: an earlier expiry is narrower, however far away.
    fn expiry(&self, token: &ApiToken) -> Found<Option<Instant>> {
        let Some(expiry) = self.wanted.expiry else { return Ok(None) };
        let expiry = check::instant(expiry)?;
        if expiry != token.expiry && expiry <= self.now {
            let message =
                "The expiry must be in the future; to end the token now, disable or delete it.";
            return Err(vec![check::expiry_past(message)]);
        }
        if expiry > token.expiry {
            let message = "The expiry is later than that of the token, which is never extended; renew the token.";
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
                "The token does not have the permission {code}, and is never given more; create \
                 another token with it."
            );
            Err(InputFault::invalid(Field::Permissions, "permission_widened", message))
        };
        check::permissions(self.catalogue, codes, held).map(Some)
    }

    fn addresses(&self, token: &ApiToken) -> Found<Option<AllowedAddresses>> {
        let Some(texts) = &self.wanted.allowed_addresses else { return Ok(None) };
        let widened = |message: String| {
            InputFault::invalid(Field::AllowedAddresses, "addresses_widened", message)
        };
        if texts.is_empty() && !token.allowed_addresses.is_any() {
            let message = "An empty list allows any address, and the token is allowed only some, never \
                           more; create another token for that.";
            return Err(vec![widened(message.to_owned())]);
        }
        let reach = token.allowed_addresses.reach();
        let within = |network| {
            if reach.covers(network) {
                return Ok(());
            }
            Err(widened(format!(
                "{network} is not within the addresses of the token, which is never allowed more; \
                 create another token for it."
            )))
        };
        check::addresses(texts, within).map(Some)
    }
}
