//! The messages of graphql-transport-ws.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::close::Close;

/// Bytes of the id of a subscription. Clients send numbers or UUIDs.
const MAX_ID: usize = 128;

/// A message of a client.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    /// The first one, with the token.
    ConnectionInit {
        /// What the client chose for it.
        payload: Option<Value>,
    },
    /// Begins a subscription.
    Subscribe {
        /// The client's name for it.
        id: String,
        /// The parameters of GraphQL.
        payload: Map<String, Value>,
    },
    /// Ends a subscription.
    Complete {
        /// The client's name for it.
        id: String,
    },
    /// To be answered.
    Ping,
    /// An answer that was not asked for.
    Pong,
}

impl ClientMessage {
    /// Reads a message.
    pub(super) fn read(text: &str) -> Result<Self, Close> {
        let message = serde_json::from_str(text).map_err(|_| Close::BadMessage)?;
        match &message {
            Self::Subscribe { id, .. } | Self::Complete { id } => {
                let is_id = (1..=MAX_ID).contains(&id.len());
                if is_id { Ok(message) } else { Err(Close::BadMessage) }
            }
            _ => Ok(message),
        }
    }
}

/// What the relay reads of a message of the handler.
#[derive(Deserialize)]
pub(super) struct HandlerMessage<'a> {
    /// Its kind.
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    /// The subscription that it is about.
    #[serde(default)]
    pub(super) id: String,
}

/// The answer to a `ping`.
pub(super) const PONG: &str = r#"{"type":"pong"}"#;
/// The first message to the handler: the token stays with the relay.
pub(super) const INIT: &str = r#"{"type":"connection_init"}"#;

/// To the client: a subscription does not begin.
pub(super) fn error(id: &str, errors: &Value) -> String {
    json!({ "id": id, "type": "error", "payload": errors }).to_string()
}

/// To the handler: it asks for the next subscription that was judged.
pub(super) fn subscribe(id: &str) -> String {
    json!({ "type": "subscribe", "id": id, "payload": { "query": "" } }).to_string()
}

/// To the handler: a subscription ends.
pub(super) fn complete(id: &str) -> String {
    json!({ "type": "complete", "id": id }).to_string()
}
