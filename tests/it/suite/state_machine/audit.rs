//! The audit is complete: who reads it from the beginning knows the state.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokenwright::domain::clock::written;

use super::model::Model;
use super::operation::{ADDRESSES, PURPOSES};
use super::walk;
use crate::support::TestApp;

type Fields = BTreeMap<String, Value>;

/// Plays all events in their order and compares what comes of it with the model.
pub async fn replays(app: &TestApp, model: &Model) {
    let node = "action targetId changes { field before after }";
    let mut events = walk(app, "auditEvents", node).await;
    events.reverse();
    let mut state: BTreeMap<String, Option<Fields>> = BTreeMap::new();
    for event in &events {
        let target = event["targetId"].as_str().unwrap().to_owned();
        let changes = event["changes"].as_array().unwrap();
        match event["action"].as_str().unwrap() {
            "API_TOKEN_CREATED" | "API_TOKEN_RENEWED" => {
                let mut fields = Fields::from([("enabled".to_owned(), json!("true"))]);
                set(&mut fields, changes, event);
                assert!(state.insert(target, Some(fields)).is_none(), "{event}");
            }
            "API_TOKEN_UPDATED" => {
                assert!(!changes.is_empty(), "{event}");
                set(state.get_mut(&target).unwrap().as_mut().unwrap(), changes, event);
            }
            "API_TOKEN_DELETED" => {
                assert!(state.insert(target, None).unwrap().is_some(), "{event}");
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(state.len(), model.tokens.len());
    // The administrator holds more permissions than are worth comparing.
    for token in &model.tokens[1..] {
        let expected = (!token.deleted).then(|| {
            let codes: Vec<&str> = token.permissions.iter().map(|name| code(name)).collect();
            let mut fields = Fields::from([
                ("name".to_owned(), json!(token.name)),
                ("enabled".to_owned(), json!(token.enabled.to_string())),
                ("expiry".to_owned(), json!(written(token.expiry))),
                ("permissions".to_owned(), json!(sorted(&codes.join(" ")))),
                ("allowedAddresses".to_owned(), json!(ADDRESSES[token.addresses].0.join(" "))),
            ]);
            let (description, labels) = PURPOSES[token.purpose];
            if !description.is_empty() {
                fields.insert("description".to_owned(), json!(description));
            }
            for (key, value) in labels {
                fields.insert(format!("labels.{key}"), json!(value));
            }
            if let Some(old) = &token.renewed_from {
                fields.insert("renewedFrom".to_owned(), json!(old));
            }
            fields
        });
        assert_eq!(state[&token.id], expected, "{token:?}");
    }
}

/// What an event says was before must be what the events before it said.
fn set(fields: &mut Fields, changes: &[Value], event: &Value) {
    for change in changes {
        let field = change["field"].as_str().unwrap().to_owned();
        let after = plain(&field, &change["after"]);
        let before = match after {
            Value::Null => fields.remove(&field),
            after => fields.insert(field.clone(), after),
        };
        assert_eq!(before.unwrap_or_default(), plain(&field, &change["before"]), "{event}");
    }
}

/// The order of permissions says nothing.
fn plain(field: &str, value: &Value) -> Value {
    match value.as_str() {
        Some(text) if field == "permissions" => json!(sorted(text)),
        _ => value.clone(),
    }
}

fn sorted(words: &str) -> String {
    let mut words: Vec<&str> = words.split(' ').collect();
    words.sort_unstable();
    words.join(" ")
}

fn code(name: &str) -> &'static str {
    match name {
        "API_API_TOKENS_READ" => "api.api-tokens.read",
        "API_API_TOKENS_WRITE" => "api.api-tokens.write",
        "API_API_TOKENS_DELETE" => "api.api-tokens.delete",
        "API_USERS_READ" => "api.users.read",
        "API_TASKS_READ" => "api.tasks.read",
        other => panic!("{other}"),
    }
}
