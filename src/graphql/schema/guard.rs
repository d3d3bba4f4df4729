//! The guards on fields. The use case behind a field calls the same function again, so that
//! forgetting one of the two does no harm.

use async_graphql::{Context, Guard, Result};

use crate::domain::audit::AuditAction;
use crate::graphql::context::{origin, principal, service};
use crate::graphql::error::GqlError;

/// The caller must have this permission.
pub(super) struct Needs(pub(super) &'static str);

impl Guard for Needs {
    async fn check(&self, ctx: &Context<'_>) -> Result<()> {
        principal(ctx)?.require(self.0).map_err(GqlError::from)?;
        Ok(())
    }
}

/// The caller must be allowed to make changes of this kind. A denial is noted for the audit.
pub(super) struct MayChange(pub(super) AuditAction);

impl Guard for MayChange {
    async fn check(&self, ctx: &Context<'_>) -> Result<()> {
        let allowed = service(ctx)?.may(principal(ctx)?, origin(ctx)?, self.0);
        Ok(allowed.map_err(GqlError::from)?)
    }
}

/// The caller must have this permission if a mutation's payload is to show more of an object than
/// these fields, which the caller knows already or needs for the next change. The same permission
/// guards the query of the object: a permission to change it is none to read it.
///
/// It is asked before the mutation. A field that was refused after it would leave its parents out
/// of the answer, and the client would take the change for undone.
pub(super) fn require_to_show(
    ctx: &Context<'_>,
    object: &str,
    known: &[&str],
    permission: &'static str,
) -> Result<(), GqlError> {
    let is_known = |name: &str| name == "__typename" || known.contains(&name);
    let payload = ctx.field();
    let mut objects = payload.selection_set().filter(|field| field.name() == object);
    let shows_more = objects.any(|object| {
        let mut fields = object.selection_set();
        fields.any(|field| !is_known(field.name()))
    });
    if shows_more { Ok(principal(ctx)?.require(permission)?) } else { Ok(()) }
}
