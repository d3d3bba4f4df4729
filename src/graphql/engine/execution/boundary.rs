//! Rules for every field: a valid token is needed, what it adds to the answer is drawn from the
//! budget, errors are logged and masked, panics are caught.
//!
//! In the engine, an error in a nullable field also removes the field's parent. A failing mutation
//! would remove the secret that another one in the same document shows, once.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use super::refused::RefusedFields;
use super::started::Started;
use crate::graphql::context::RequestContext;
use crate::graphql::engine::budget::{self, SharedBudget};
use crate::graphql::engine::introspection::Introspection;
use crate::graphql::engine::request_error::{InputPlace, RequestError, SchemaDetail};
use crate::graphql::error::{Cause, ErrorCode, GqlError, code_of};
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo,
};
use async_graphql::{
    Error, PathSegment, QueryPathNode, QueryPathSegment, Response, ServerError, ServerResult, Value,
};
use futures_util::FutureExt;

/// Makes the boundary of each request.
pub(super) struct BoundaryFactory {
    pub(super) introspection: Introspection,
}

impl ExtensionFactory for BoundaryFactory {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Boundary {
            introspection: self.introspection,
            errors: Mutex::default(),
            refused: RefusedFields::default(),
        })
    }
}

/// The start of the engine's messages about a value that does not fit its type. Such an error has
/// no code and no kind, so only its prose identifies it; no other place does this.
const MISSHAPEN: [&str; 2] = ["Expected input type \"", "Failed to parse \""];

struct Boundary {
    introspection: Introspection,
    /// Errors whose fields are null already.
    errors: Mutex<Vec<ServerError>>,
    refused: RefusedFields,
}

#[async_trait::async_trait]
impl Extension for Boundary {
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        // Nothing runs without this.
        let Some(started) = ctx.data_opt::<Arc<Started>>() else {
            return Response::default();
        };
        started.set();
        let mut response = next.run(ctx, operation_name).await;
        let mut kept = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        response.errors.append(&mut kept);
        let request = ctx.data_opt::<RequestContext>();
        if let (Some(request), Some(refused)) = (request, self.refused.named(&response.errors)) {
            request.notes.refused(refused);
        }
        response
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let (nullable, name) = (!info.return_type.ends_with('!'), info.name);
        let (pos, node) = (info.field.name.pos, info.path_node);
        let placed = |error| Error::from(error).into_server_error(pos).with_path(path(node));
        let Some(budget) = ctx.data_opt::<SharedBudget>() else {
            return Err(placed(GqlError::internal("the request has no budget")));
        };
        let has_fields = !info.field.selection_set.node.items.is_empty();
        if has_fields {
            // Before anything is done for the field: while others take their turns, it holds
            // nothing.
            budget::turn().await;
        }
        let open = has_fields.then(|| budget.open());
        let resolved = match self.check(ctx, &info) {
            Ok(()) if budget.is_overdrawn() => ended().await,
            Ok(()) => AssertUnwindSafe(next.run(ctx, info)).catch_unwind().await,
            Err(error) => Ok(Err(placed(error))),
        };
        drop(open);
        if let Ok(Ok(Some(value))) = &resolved {
            budget.draw(value);
        }
        if budget.is_overdrawn() {
            return ended().await;
        }
        let error = match resolved {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(_panic) => placed(GqlError::internal("a resolver panicked")),
        };
        self.refused.note(node, name);
        let error = logged(ctx, error);
        if nullable {
            if !budget.reports() {
                return Ok(Some(Value::Null));
            }
            self.errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
            Ok(Some(Value::Null))
        } else {
            Err(error)
        }
    }
}

/// Never ready: whoever runs the operation drops it.
async fn ended<T>() -> T {
    std::future::pending().await
}

impl Boundary {
    /// Nothing is read or changed without a valid token. The check is here, once, so that no new
    /// root field can forget it.
    fn check(&self, ctx: &ExtensionContext<'_>, info: &ResolveInfo<'_>) -> Result<(), GqlError> {
        let is_root = info.path_node.parent.is_none();
        let request = ctx.data_opt::<RequestContext>();
        let is_known = request.is_some_and(|request| request.caller.is_some());
        match info.name {
            _ if !is_root => Ok(()),
            "__schema" | "__type" if self.introspection == Introspection::Off => {
                Err(GqlError::IntrospectionOff)
            }
            "__schema" | "__type" => Ok(()),
            _ if is_known => Ok(()),
            _ => Err(GqlError::Unauthenticated),
        }
    }
}

fn path(node: &QueryPathNode<'_>) -> Vec<PathSegment> {
    let nodes = std::iter::successors(Some(node), |node| node.parent);
    let mut path: Vec<PathSegment> = nodes
        .map(|node| match node.segment {
            QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
            QueryPathSegment::Index(index) => PathSegment::Index(index),
        })
        .collect();
    path.reverse();
    path
}

/// Logs the cause of an error once and removes it. An unexpected error is masked. The engine's
/// message about a value that does not fit its type is the client's fault; it repeats the value,
/// which may be a secret, so it is neither shown nor logged.
fn logged(ctx: &ExtensionContext<'_>, mut error: ServerError) -> ServerError {
    let chosen = code_of(&error).is_some();
    if !chosen && MISSHAPEN.iter().any(|start| error.message.starts_with(start)) {
        let message = "A value does not have the shape that its type asks for.".to_owned();
        let invalid =
            RequestError::Invalid { message, at: InputPlace::default(), places: error.locations };
        return invalid.into_server_error(SchemaDetail::Shown).with_path(error.path);
    }
    if !chosen {
        let cause = Cause(error.message.as_str().into());
        let (locations, path) = (error.locations, error.path);
        error = Error::from(GqlError::internal(&cause.0)).into_server_error(Default::default());
        (error.locations, error.path) = (locations, path);
    }
    if let Some(Cause(cause)) = error.source::<Cause>().cloned() {
        let request = ctx.data_opt::<RequestContext>();
        let id = request.and_then(|request| request.origin.request_id.clone()).unwrap_or_default();
        // An absent database or a full queue is a state; the rest is a defect.
        if code_of(&error) == Some(ErrorCode::Unavailable.as_str()) {
            tracing::warn!(request_id = %id, %cause, "a field could not be answered");
        } else {
            tracing::error!(request_id = %id, %cause, "a field could not be answered");
        }
        error.extensions.get_or_insert_with(Default::default).set("requestId", id);
        error.source = None;
    }
    error
}
