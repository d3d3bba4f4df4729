//! Running one GraphQL request.

use std::sync::Arc;

use async_graphql::{Request, ServerError, Value, Variables};

use super::context::RequestContext;
use super::document::{self, MAX_REQUEST_ERRORS, Refused};
use super::error::ErrorCode;
use super::introspection::Introspection;
use super::loaders::Loaders;
use super::schema::{self, AppSchema};
use crate::domain::secret::masked;
use crate::service::Service;

/// The schema over the use cases.
pub struct Engine {
    schema: AppSchema,
    service: Arc<Service>,
}

/// The parameters of a request.
#[derive(Clone)]
pub struct GraphqlRequest {
    pub query: String,
    pub operation_name: Option<String>,
    /// A JSON object.
    pub variables: serde_json::Map<String, serde_json::Value>,
}

/// How the request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Queries only.
    Get,
    Post,
}

/// What became of a request. Bodies are JSON.
pub enum Outcome {
    /// Nothing ran.
    Refused { body: Vec<u8> },
    /// Nothing ran: a mutation must not be sent by GET.
    MutationByGet,
    /// Something ran; there may be errors beside the data.
    Executed {
        body: Vec<u8>,
        /// A field was refused because the request carries no token.
        unauthenticated: bool,
    },
}

impl Engine {
    /// The schema with the permissions of the service's catalogue.
    pub fn new(service: Arc<Service>, introspection: Introspection) -> Self {
        Self {
            schema: schema::build(service.catalogue(), introspection),
            service,
        }
    }

    /// Parses, validates and runs a request.
    pub async fn execute(
        &self,
        request: GraphqlRequest,
        method: Method,
        context: RequestContext,
    ) -> Outcome {
        let prepared = match prepare(request, method) {
            Ok(prepared) => prepared,
            Err(Refused::MutationByGet) => return Outcome::MutationByGet,
            Err(Refused::Errors(mut errors)) => {
                errors.iter_mut().for_each(mask);
                return refused(&errors);
            }
        };
        let loaders = Loaders::new(Arc::clone(&self.service), context.principal.clone());
        let prepared = prepared
            .data(Arc::clone(&self.service))
            .data(loaders)
            .data(context);
        let mut response = self.schema.execute(prepared).await;
        response.errors.iter_mut().for_each(mask);
        // Every root field is nullable, so data is missing altogether only when nothing ran.
        if response.data == Value::Null && !response.errors.is_empty() {
            let errors = response.errors.into_iter().take(MAX_REQUEST_ERRORS);
            return refused(&errors.map(coded).collect::<Vec<_>>());
        }
        let unauthenticated = response.errors.iter().any(|error| {
            let code = error
                .extensions
                .as_ref()
                .and_then(|values| values.get("code"));
            code == Some(&Value::from(ErrorCode::Unauthenticated.as_str()))
        });
        Outcome::Executed {
            body: json(&response),
            unauthenticated,
        }
    }
}

fn refused(errors: &[ServerError]) -> Outcome {
    Outcome::Refused {
        body: json(&serde_json::json!({ "errors": errors })),
    }
}

/// Takes secrets out of an error: names that a client sent are repeated in some of them.
fn mask(error: &mut ServerError) {
    error.message = masked(&error.message).into_owned();
    let field = error
        .extensions
        .as_ref()
        .and_then(|values| values.get("field"));
    if let Some(Value::String(field)) = field {
        let field = masked(field).into_owned();
        document::set(error, "field", field);
    }
}

/// Values of GraphQL always have a JSON form.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn prepare(request: GraphqlRequest, method: Method) -> Result<Request, Refused> {
    let document = document::parse(&request.query)?;
    let variables = Variables::from_json(serde_json::Value::Object(request.variables));
    let operation = document::operation(&document, request.operation_name.as_deref())?;
    document::check_type(operation, method == Method::Get)?;
    document::check_variables(operation, &variables)?;
    let mut prepared = Request::new(request.query).variables(variables);
    prepared.set_parsed_query(document);
    Ok(match request.operation_name {
        Some(name) => prepared.operation_name(name),
        None => prepared,
    })
}

/// Validation errors come from the engine without a code.
fn coded(mut error: ServerError) -> ServerError {
    let known = error
        .extensions
        .as_ref()
        .is_some_and(|values| values.get("code").is_some());
    if !known {
        document::set(&mut error, "code", ErrorCode::BadUserInput.as_str());
        document::set(&mut error, "reason", "validation");
        if let Some(field) = argument_field(&error.message) {
            document::set(&mut error, "field", field);
        }
    }
    error
}

/// The input field in `Invalid value for argument "input.permissions.0", ...`: `permissions`. An
/// argument that is no input object stands for itself.
fn argument_field(message: &str) -> Option<String> {
    let path = message
        .strip_prefix("Invalid value for argument \"")?
        .split('"')
        .next()?;
    let names = path
        .split('.')
        .filter(|part| part.parse::<usize>().is_err());
    let names: Vec<&str> = names.collect();
    match names.as_slice() {
        [argument] => Some((*argument).to_owned()),
        [_, fields @ ..] => Some(fields.join(".")),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::argument_field;

    #[test]
    fn finds_the_field_of_a_validation_error() {
        let field = |path| argument_field(&format!("Invalid value for argument \"{path}\", x"));
        assert_eq!(field("input.permissions.0").as_deref(), Some("permissions"));
        assert_eq!(field("id").as_deref(), Some("id"));
        assert_eq!(argument_field("Unknown field"), None);
    }
}
