//! Why a request is not executed, and the error that a client gets.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};

use super::limits::{Limit, MAX_REPEATED_NAME};
use crate::domain::secret::masked;
use crate::graphql::error::{ANSWER_TOO_LARGE, ErrorCode};

/// An error of the request itself: nothing runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// The document exceeds a limit.
    Limit(Limit),
    /// A fragment spreads itself, directly or through others.
    FragmentCycle,
    /// A syntax error at this offset.
    Syntax(Pos),
    /// Two definitions have the same name, or an unnamed operation has another one beside it.
    NotWellFormed(Option<Pos>),
    /// The document has only fragments.
    NoOperation,
    /// Subscriptions need another transport.
    Subscription(Option<Pos>),
    /// Only subscriptions come on a socket.
    NotSubscription,
    /// The document has no operation with the name in `operationName`.
    OperationUnknown,
    /// Several operations, and no `operationName`.
    OperationNameMissing,
    /// The document, or the value of a variable, does not fit the schema.
    Invalid { message: String, at: InputPlace, places: Vec<Pos> },
    /// A variable that needs a value has none.
    VariableMissing { name: String, ty: String, place: Option<Pos> },
    /// The answer would be larger than any may be.
    AnswerTooLarge,
    /// The engine's own limits, the second wall, refuse the operation.
    EngineLimit { message: String, places: Vec<Pos> },
}

/// Where in the input a fault is, as far as it is in one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputPlace {
    /// The argument, the input field or the variable.
    pub(super) field: Option<String>,
    /// Which element, where it is one of a list.
    pub(super) index: Option<usize>,
}

/// How much an error may reveal of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SchemaDetail {
    Shown,
    /// Introspection is off: types, fields that are missing and suggestions stay hidden.
    Hidden,
}

impl RequestError {
    const fn reason(&self) -> &'static str {
        match self {
            Self::Limit(limit) => limit.reason(),
            Self::FragmentCycle => "fragment_cycle",
            Self::Syntax(_) | Self::NotWellFormed(_) | Self::NoOperation => "syntax",
            Self::Subscription(_) => "subscription",
            Self::NotSubscription => "not_subscription",
            Self::OperationUnknown => "operation_unknown",
            Self::OperationNameMissing => "operation_name_missing",
            Self::Invalid { .. } => "validation",
            Self::VariableMissing { .. } => "variable_missing",
            Self::EngineLimit { .. } | Self::AnswerTooLarge => "query_limit",
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Limit(limit) => return limit.message(),
            Self::Syntax(Pos { line, column }) => {
                return format!("The document has a syntax error at line {line}, column {column}.");
            }
            Self::Invalid { message, .. } | Self::EngineLimit { message, .. } => {
                return cut_names(message);
            }
            Self::VariableMissing { name, ty, .. } => {
                return cut_names(&format!("The variable ${name} of type {ty} needs a value."));
            }
            Self::AnswerTooLarge => ANSWER_TOO_LARGE,
            Self::FragmentCycle => {
                "The document has a fragment that spreads itself, directly or through other \
                 fragments."
            }
            Self::NotWellFormed(_) => {
                "The document is not well-formed: two definitions have the same name, or an \
                 operation without a name is not alone."
            }
            Self::NoOperation => "The document has no operation.",
            Self::Subscription(_) => {
                "Subscriptions are sent over a WebSocket, by the protocol graphql-transport-ws, \
                 where the server's setting `subscriptions` is on."
            }
            Self::NotSubscription => {
                "Only subscriptions are sent over a WebSocket; send queries and mutations by POST."
            }
            Self::OperationUnknown => {
                "The document has no operation with the name in `operationName`."
            }
            Self::OperationNameMissing => {
                "The document has several operations: choose one with `operationName`."
            }
        }
        .to_owned()
    }

    /// The condition of `@skip` or `@include` is null.
    pub(super) fn null_condition(place: Option<Pos>) -> Self {
        Self::Invalid {
            message: "The condition of `@skip` or `@include` is null; it must be true or false."
                .to_owned(),
            at: InputPlace { field: Some("if".to_owned()), index: None },
            places: place.into_iter().collect(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { at, .. } => at.field.as_deref(),
            Self::VariableMissing { name, .. } => Some(name),
            _ => None,
        }
    }

    const fn index(&self) -> Option<usize> {
        match self {
            Self::Invalid { at, .. } => at.index,
            _ => None,
        }
    }

    fn places(&self) -> Vec<Pos> {
        match self {
            Self::Syntax(place) => vec![*place],
            Self::NotWellFormed(place)
            | Self::Subscription(place)
            | Self::VariableMissing { place, .. } => place.iter().copied().collect(),
            Self::Invalid { places, .. } | Self::EngineLimit { places, .. } => places.clone(),
            _ => Vec::new(),
        }
    }

    /// The GraphQL error for the client. Names that it repeats are cut, and secrets in them masked.
    pub(super) fn into_server_error(self, detail: SchemaDetail) -> ServerError {
        let hidden = matches!((&self, detail), (Self::Invalid { .. }, SchemaDetail::Hidden));
        let message = if hidden {
            "The document or its variables do not fit the schema here.".to_owned()
        } else {
            masked(&self.message()).into_owned()
        };
        let mut values = ErrorExtensionValues::default();
        values.set("code", ErrorCode::BadUserInput.as_str());
        values.set("reason", self.reason());
        if let Some(field) = self.field().filter(|_| !hidden) {
            values.set("field", masked(&cut_names(field)).into_owned());
        }
        if let Some(index) = self.index().filter(|_| !hidden) {
            values.set("index", index);
        }
        let mut error = ServerError::new(message, None);
        error.locations = self.places();
        error.extensions = Some(values);
        error
    }
}

/// Cuts every long name in the text: each may be as long as the document.
pub(super) fn cut_names(text: &str) -> String {
    let mut cut = String::with_capacity(text.len().min(1024));
    let mut length = 0;
    for character in text.chars() {
        let is_of_name = character.is_alphanumeric() || character == '_';
        length = if is_of_name { length + 1 } else { 0 };
        match length {
            0..=MAX_REPEATED_NAME => cut.push(character),
            _ if length == MAX_REPEATED_NAME + 1 => cut.push('…'),
            _ => {}
        }
    }
    cut
}

/// A value that a client sent, cut and cleaned so that it can be part of a message.
pub(super) fn shown(value: &str) -> String {
    let clean: String = value.chars().filter(|c| !c.is_control()).collect();
    format!("`{}`", cut_key(&clean))
}

/// The start of a JSON key, which may hold any text.
pub(super) fn cut_key(key: &str) -> String {
    match key.char_indices().nth(MAX_REPEATED_NAME) {
        Some((end, _)) => format!("{}…", key.get(..end).unwrap_or_default()),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut() {
        let long = "a".repeat(60_000);
        let short = format!("{}…", "a".repeat(MAX_REPEATED_NAME));
        assert_eq!(cut_names(&format!("{long} b \"{long}\"")), format!("{short} b \"{short}\""));
        assert_eq!(cut_names(&"ab ".repeat(99)), "ab ".repeat(99));
        assert_eq!(cut_key(&"a b".repeat(60)), format!("{}…", &"a b".repeat(60)[..80]));
    }
}
