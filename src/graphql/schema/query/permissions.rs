//! `permissions`.

use async_graphql::{Context, Object};

use crate::graphql::context::service;
use crate::graphql::error::GqlError;
use crate::graphql::schema::types::PermissionInfo;

#[derive(Default)]
pub(super) struct PermissionsQuery;

#[Object]
impl PermissionsQuery {
    /// The permissions that this server knows, in their order. Every token may ask.
    async fn permissions(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<Vec<PermissionInfo>>, GqlError> {
        let entries = service(ctx)?.catalogue().entries();
        Ok(Some(entries.iter().map(PermissionInfo::from).collect()))
    }
}
