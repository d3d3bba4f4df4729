//! What a new token may be: what the rules for all tokens allow, within the reach of its creator.

use super::{CreateApiToken, Settings};
use crate::db::DbError;
use crate::domain::address::{AddressReach, AllowedAddresses};
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::clock::Instant;
use crate::domain::fault::{Field, InputFault};
use crate::domain::id::ApiTokenId;
use crate::domain::principal::Principal;
use crate::service::Service;
use crate::service::token::input::{self, Found};

impl Service {
    /// `orphan`: a token that may have the name, as this one takes its place.
    pub(super) async fn check(
        &self,
        principal: &Principal,
        wanted: &CreateApiToken,
        orphan: Option<ApiTokenId>,
        now: Instant,
    ) -> Result<Found<Settings>, DbError> {
        let name = self.check_name(&wanted.name, orphan).await?;
        let policy = self.repository.policy().await?.policy;
        let expiry = self.check_lifetime(principal, wanted.expiry, &policy, now);
        let grant = |entry: &CatalogueEntry| may_grant(principal, entry);
        let permissions = input::permissions(&self.catalogue, &wanted.permissions, grant);
        let addresses = wanted.allowed_addresses.as_deref();
        let addresses = check_addresses(&principal.address_reach(), addresses).and_then(|list| {
            input::as_required(&policy, &list, Field::AllowedAddresses, now)?;
            Ok(list)
        });
        let purpose = input::purpose(&wanted.description, &wanted.labels);
        let found = input::combine(input::both(name, purpose), expiry, permissions, addresses);
        Ok(found.map(|((name, purpose), expiry, permissions, allowed_addresses)| Settings {
            name,
            description: purpose.0.into(),
            labels: purpose.1,
            expiry,
            permissions,
            allowed_addresses,
            renewed_from: None,
        }))
    }
}

fn may_grant(principal: &Principal, entry: &CatalogueEntry) -> Result<(), InputFault> {
    let code = &entry.code;
    if let Some(reason) = &entry.deprecated {
        let message =
            format!("The permission {code} is deprecated and can no longer be granted: {reason}");
        return Err(InputFault::invalid(Field::Permissions, "permission_deprecated", message));
    }
    if !principal.has(code.as_str()) {
        let message = format!("You cannot grant the permission {code}, which you do not have.");
        return Err(InputFault::beyond_reach(
            Field::Permissions,
            "permission_beyond_reach",
            message,
        ));
    }
    Ok(())
}

fn check_addresses(reach: &AddressReach, texts: Option<&[String]>) -> Found<AllowedAddresses> {
    let Some(texts) = texts else {
        let message = "The allowed addresses must not be null; write an empty list for any \
                       address, or leave the field out.";
        let fault = InputFault::invalid(Field::AllowedAddresses, "addresses_null", message);
        return Err(vec![fault]);
    };
    let beyond = |message: String| {
        InputFault::beyond_reach(Field::AllowedAddresses, "addresses_beyond_reach", message)
    };
    if texts.is_empty() && *reach != AddressReach::Any {
        let message = "An empty list allows any address, but you are limited to some: name \
                       addresses within your own.";
        return Err(vec![beyond(message.to_owned())]);
    }
    input::addresses(texts, |network| {
        if reach.covers(network) {
            return Ok(());
        }
        Err(beyond(format!("{network} is not within your own allowed addresses.")))
    })
}
