//! How clients spell the fields of an input.

use crate::domain::fault::{Field, FilterField};

/// The argument or the input field: `extensions.field`.
pub(in crate::graphql) const fn spelled(field: Field) -> &'static str {
    match field {
        Field::Id => "id",
        Field::Version => "version",
        Field::Name => "name",
        Field::Description => "description",
        Field::Labels => "labels",
        Field::Enabled => "enabled",
        Field::Descendants => "descendants",
        Field::Expiry => "expiry",
        Field::Permissions => "permissions",
        Field::AllowedAddresses => "allowedAddresses",
        Field::Overlap => "overlapSeconds",
        Field::IdempotencyKey => "idempotencyKey",
        Field::Tokens => "tokens",
        Field::ClientAddress => "clientAddress",
        Field::MaxLifetimeSeconds => "maxLifetimeSeconds",
        Field::MaxLifetimeScope => "maxLifetimeScope",
        Field::AllowedAddressesScope => "allowedAddressesScope",
        Field::IdleSeconds => "idleSeconds",
        Field::IdleScope => "idleScope",
        Field::Force => "force",
        Field::First => "first",
        Field::Last => "last",
        Field::After => "after",
        Field::Before => "before",
        Field::Filter(field) => match field {
            FilterField::Name => "filter.nameContains",
            FilterField::Labels => "filter.labels",
            FilterField::Permissions => "filter.permissions",
            FilterField::User => "filter.userId",
            FilterField::Creator => "filter.createdByUserId",
            FilterField::Ancestor => "filter.descendantsOf",
            FilterField::ExpiryFrom => "filter.expiresAfter",
            FilterField::ExpiryTo => "filter.expiresBefore",
            FilterField::NotUsedSince => "filter.notUsedSince",
            FilterField::Actor => "filter.actorUserId",
            FilterField::Target => "filter.targetId",
            FilterField::DateFrom => "filter.after",
            FilterField::DateTo => "filter.before",
        },
    }
}
