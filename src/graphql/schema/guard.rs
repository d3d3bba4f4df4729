//! The guard on a field. The use case behind it calls the same function again, so that forgetting
//! one of the two does no harm.

use async_graphql::{Context, Guard, Result};

use crate::graphql::context::principal;
use crate::graphql::error::GqlError;

/// The caller must have this permission.
pub(super) struct Needs(pub(super) &'static str);

impl Guard for Needs {
    async fn check(&self, ctx: &Context<'_>) -> Result<()> {
        principal(ctx)?.require(self.0).map_err(GqlError::from)?;
        Ok(())
    }
}
