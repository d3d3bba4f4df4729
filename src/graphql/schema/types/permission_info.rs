//! A permission of the catalogue.

use async_graphql::SimpleObject;

use crate::domain::catalogue::CatalogueEntry;
use crate::graphql::schema::permission::Permission;

/// A permission that this server knows.
#[derive(SimpleObject)]
pub(in crate::graphql) struct PermissionInfo {
    /// The value to use in queries and mutations.
    permission: Permission,
    /// The dotted code, such as `api.api-tokens.write`, as settings and logs show it.
    code: String,
    /// What it is about: the middle part of the code, such as `api-tokens`.
    resource: String,
    /// What it allows there: the last part of the code, such as `write`.
    action: String,
    /// What it allows, for the person who grants it.
    description: String,
}

impl From<&CatalogueEntry> for PermissionInfo {
    fn from(entry: &CatalogueEntry) -> Self {
        Self {
            permission: Permission::of(entry),
            code: entry.code.to_string(),
            resource: entry.code.resource().to_owned(),
            action: entry.code.action().to_owned(),
            description: entry.description.clone(),
        }
    }
}
