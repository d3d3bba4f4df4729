//! The guard on a field. The use case behind it asks the same function again, so that neither can be
//! forgotten without harm.

use async_graphql::{Context, Guard, Result};

use super::context::caller;
use super::error::GqlError;

/// The caller must have this permission.
pub(super) struct Needs(pub(super) &'static str);

impl Guard for Needs {
    async fn check(&self, ctx: &Context<'_>) -> Result<()> {
        caller(ctx)?.require(self.0).map_err(GqlError::from)?;
        Ok(())
    }
}
