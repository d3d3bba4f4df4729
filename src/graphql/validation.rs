//! What becomes of the engine's validation errors.

use async_graphql::ServerError;

use super::document::set;
use super::error::{ErrorCode, code_of};

/// Gives a validation error the code that it comes without.
pub(super) fn coded(mut error: ServerError) -> ServerError {
    if code_of(&error).is_none() {
        set(&mut error, "code", ErrorCode::BadUserInput.as_str());
        set(&mut error, "reason", "validation");
        if let Some(field) = argument_field(&error.message) {
            set(&mut error, "field", field);
        }
    }
    error
}

/// The input field in `Invalid value for argument "input.permissions.0", ...`: `permissions`. An
/// argument that is no input object stands for itself.
fn argument_field(message: &str) -> Option<String> {
    let path = message.strip_prefix("Invalid value for argument \"")?.split('"').next()?;
    let names = path.split('.').filter(|part| part.parse::<usize>().is_err());
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
