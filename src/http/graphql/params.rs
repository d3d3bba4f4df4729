//! Reading the parameters of GraphQL over HTTP from a body or a query string.

use actix_web::web;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::graphql::GraphqlRequest;
use crate::http::refusal::Refusal;

/// Reads a JSON body.
pub(super) fn from_body(body: &[u8]) -> Result<GraphqlRequest, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(parameters)) => from_object(parameters),
        Ok(Value::Array(_)) => {
            Err(Refusal::Params("Batches are not supported: send one JSON object a request."))
        }
        Ok(_) => Err(Refusal::Params("The body must be a JSON object.")),
        Err(_) => Err(Refusal::Params("The body is not valid JSON.")),
    }
}

/// Reads a query string. Its `variables` and `extensions` are JSON texts.
pub(super) fn from_query_string(text: &str) -> Result<GraphqlRequest, Refusal> {
    let unreadable = Refusal::Params("The query string must be UTF-8, percent-encoded.");
    // Reading it replaces what is no UTF-8, silently.
    percent_decode_str(text).decode_utf8().map_err(|_| unreadable)?;
    let pairs = web::Query::<Vec<(String, String)>>::from_query(text).map_err(|_| unreadable)?;
    let mut parameters = Map::new();
    for (name, value) in pairs.into_inner() {
        let value = match name.as_str() {
            "query" | "operationName" => Value::String(value),
            "variables" | "extensions" if value.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&value).map_err(|_| {
                Refusal::Params("`variables` and `extensions` must be JSON objects.")
            })?,
            _ => continue,
        };
        if parameters.insert(name, value).is_some() {
            return Err(Refusal::Params("A parameter is given twice."));
        }
    }
    from_object(parameters)
}

fn from_object(mut parameters: Map<String, Value>) -> Result<GraphqlRequest, Refusal> {
    let extensions = match parameters.remove("extensions") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(extensions)) => extensions,
        Some(_) => return Err(Refusal::Params("`extensions` must be an object.")),
    };
    let query = match parameters.remove("query") {
        Some(Value::String(query)) => query,
        // What clients with automatic persisted queries wait for, to send the text itself.
        None if extensions.contains_key("persistedQuery") => {
            return Err(Refusal::PersistedQuery);
        }
        None | Some(Value::Null) => return Err(Refusal::Params("`query` is missing.")),
        Some(_) => return Err(Refusal::Params("`query` must be a string.")),
    };
    let operation_name = match parameters.remove("operationName") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(_) => return Err(Refusal::Params("`operationName` must be a string.")),
    };
    let variables = match parameters.remove("variables") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(variables)) => variables,
        Some(_) => return Err(Refusal::Params("`variables` must be an object.")),
    };
    Ok(GraphqlRequest { query, operation_name, variables })
}
