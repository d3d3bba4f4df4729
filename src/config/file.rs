//! The settings file.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// The settings file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read: {1}", path = .0.display())]
    Read(PathBuf, std::io::Error),
    /// Where and why. The error's own text repeats the line, which may hold a password.
    #[error("the settings file {path} is not valid TOML in line {1}: {2}", path = .0.display())]
    Toml(PathBuf, usize, String),
    /// The file has a key that is not a setting.
    #[error("the settings file {path} has the unknown key `{1}`{2}", path = .0.display())]
    UnknownKey(PathBuf, String, String),
    /// A value is neither a text, a number, a boolean nor a list of these.
    #[error("the settings file {path} has a table or a date at `{1}`, where \
             a plain value is needed", path = .0.display())]
    NotPlain(PathBuf, String),
}

/// The keys of a file with their values as they would be written on the command line; an error for
/// each whose value is not plain.
pub(super) type Keys = Vec<Result<(String, String), FileError>>;

/// Reads a file.
///
/// # Errors
/// When the file cannot be read, or is not TOML.
pub(super) fn read(path: &Path) -> Result<Keys, FileError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| FileError::Read(path.to_owned(), error))?;
    let table: Table = toml::from_str(&text).map_err(|error| toml_error(path, &text, &error))?;
    let plain = |(key, value)| match plain(&value) {
        Some(plain) => Ok((key, plain)),
        None => Err(FileError::NotPlain(path.to_owned(), key)),
    };
    Ok(table.into_iter().map(plain).collect())
}

fn toml_error(path: &Path, text: &str, error: &toml::de::Error) -> FileError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    FileError::Toml(path.to_owned(), line, error.message().to_owned())
}

/// The value in one text; lists are joined by commas.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(yes) => Some(yes.to_string()),
        Value::Array(values) => {
            let texts: Option<Vec<String>> = values.iter().map(plain).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Datetime(_) | Value::Table(_) => None,
    }
}
