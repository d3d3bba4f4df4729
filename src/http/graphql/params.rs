//! Reading the parameters of GraphQL over HTTP from a body or a query string.

use actix_web::web;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::refusal::GraphqlRefusal;
use crate::graphql::GraphqlRequest;

/// The byte order mark that Windows programs write before UTF-8. It may be ignored (RFC 8259
/// section 8.1).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a JSON body.
pub(super) fn from_body(body: &[u8]) -> Result<GraphqlRequest, GraphqlRefusal> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    match serde_json::from_slice(body) {
        Ok(Value::Object(parameters)) => from_object(parameters),
        Ok(Value::Array(_)) => Err(GraphqlRefusal::Params(
            "Batches are not supported: send one JSON object per request.",
        )),
        Ok(_) => Err(GraphqlRefusal::Params("The body must be a JSON object.")),
        Err(_) => Err(GraphqlRefusal::Params("The body is not valid JSON.")),
    }
}

/// Reads a query string. Its `variables` and `extensions` are JSON texts.
pub(super) fn from_query_string(text: &str) -> Result<GraphqlRequest, GraphqlRefusal> {
    let unreadable = GraphqlRefusal::Params("The query string must be UTF-8, percent-encoded.");
    // Reading it silently replaces what is not UTF-8.
    percent_decode_str(text).decode_utf8().map_err(|_| unreadable)?;
    let pairs = web::Query::<Vec<(String, String)>>::from_query(text).map_err(|_| unreadable)?;
    let mut parameters = Map::new();
    for (name, value) in pairs.into_inner() {
        let value = match name.as_str() {
            "query" | "operationName" => Value::String(value),
            "variables" | "extensions" if value.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&value).map_err(|_| {
                GraphqlRefusal::Params("`variables` and `extensions` must be JSON objects.")
            })?,
            _ => continue,
        };
        if parameters.insert(name, value).is_some() {
            return Err(GraphqlRefusal::Params("A parameter is given twice."));
        }
    }
    from_object(parameters)
}

/// Reads the parameters of a JSON object.
pub(super) fn from_object(
    mut parameters: Map<String, Value>,
) -> Result<GraphqlRequest, GraphqlRefusal> {
    let extensions = match parameters.remove("extensions") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(extensions)) => extensions,
        Some(_) => return Err(GraphqlRefusal::Params("`extensions` must be an object.")),
    };
    let query = match parameters.remove("query") {
        Some(Value::String(query)) => query,
        // Clients with automatic persisted queries send the text itself after this answer.
        None if extensions.contains_key("persistedQuery") => {
            return Err(GraphqlRefusal::PersistedQuery);
        }
        None | Some(Value::Null) => return Err(GraphqlRefusal::Params("`query` is missing.")),
        Some(_) => return Err(GraphqlRefusal::Params("`query` must be a string.")),
    };
    let operation_name = match parameters.remove("operationName") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(_) => return Err(GraphqlRefusal::Params("`operationName` must be a string.")),
    };
    let variables = match parameters.remove("variables") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(variables)) => variables,
        Some(_) => return Err(GraphqlRefusal::Params("`variables` must be an object.")),
    };
    Ok(GraphqlRequest { query, operation_name, variables })
}
