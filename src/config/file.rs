//! The settings file and the environment.
//!
//! A key of the file becomes the default of the flag with its name, so that flags and environment
//! variables come before it without a merge of our own. What is called a setting here is a flag that
//! has an environment variable; the others belong to one run of one command.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use toml::{Table, Value};

const PREFIX: &str = "TOKENWRIGHT_";

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("the settings file {path} cannot be read: {1}", path = .0.display())]
    Read(PathBuf, std::io::Error),
    /// Where and why. The error's own text repeats the line, which may hold a password.
    #[error("the settings file {path} is not valid TOML in line {1}: {2}", path = .0.display())]
    Toml(PathBuf, usize, String),
    #[error("the settings file {path} has the unknown key `{1}`", path = .0.display())]
    UnknownKey(PathBuf, String),
    #[error("the settings file {path} has a table, a date or a number with a point at `{1}`, where a plain value is needed", path = .0.display())]
    NotPlain(PathBuf, String),
    #[error("the environment has the unknown variable {0}")]
    UnknownVariable(String),
}

/// Finds `--config` among the arguments, or its variable in the environment: the file must be known
/// before the arguments can be read.
pub fn path_of_file(arguments: &[OsString], variable: Option<OsString>) -> Option<PathBuf> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == OsStr::new("--config") {
            return arguments.next().map(PathBuf::from);
        }
        let joined = argument.to_str().and_then(|text| text.strip_prefix("--config="));
        if let Some(path) = joined {
            return Some(PathBuf::from(path));
        }
    }
    variable.filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Makes the values of a file the defaults of a command line.
///
/// # Errors
/// When the file cannot be read, or has a key that no setting has.
pub fn with_file(mut command: Command, path: &Path) -> Result<Command, FileError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| FileError::Read(path.to_owned(), error))?;
    let table: Table = toml::from_str(&text).map_err(|error| toml_error(path, &text, &error))?;
    for (key, value) in table {
        let plain =
            plain(&value).ok_or_else(|| FileError::NotPlain(path.to_owned(), key.clone()))?;
        let mut found = false;
        command = with_default(command, &key, &plain, &mut found);
        if !found {
            return Err(FileError::UnknownKey(path.to_owned(), key));
        }
    }
    Ok(command)
}

fn toml_error(path: &Path, text: &str, error: &toml::de::Error) -> FileError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    FileError::Toml(path.to_owned(), line, error.message().to_owned())
}

/// Refuses variables with our prefix that are no setting: most often a typing error that would leave
/// a restriction out.
///
/// # Errors
/// For the first unknown variable.
pub fn with_environment_checked(
    command: Command,
    names: impl Iterator<Item = OsString>,
) -> Result<Command, FileError> {
    let mut known = Vec::new();
    collect_variables(&command, &mut known);
    for name in names {
        let text = name.to_string_lossy();
        // Kubernetes sets these in every container beside a service called `tokenwright`.
        let orchestrator = text.starts_with("TOKENWRIGHT_SERVICE_")
            || text == "TOKENWRIGHT_PORT"
            || text.starts_with("TOKENWRIGHT_PORT_");
        if text.starts_with(PREFIX) && !orchestrator && !known.contains(&name) {
            return Err(FileError::UnknownVariable(text.into_owned()));
        }
    }
    Ok(command)
}

fn collect_variables(command: &Command, known: &mut Vec<OsString>) {
    known.extend(command.get_arguments().filter_map(Arg::get_env).map(OsStr::to_owned));
    for subcommand in command.get_subcommands() {
        collect_variables(subcommand, known);
    }
}

fn with_default(command: Command, key: &str, value: &str, found: &mut bool) -> Command {
    let is_setting =
        |arg: &Arg| arg.get_long() == Some(key) && arg.get_env().is_some() && key != "config";
    *found |= command.get_arguments().any(is_setting);
    command
        .mut_args(|arg| {
            if is_setting(&arg) { arg.default_value(value.to_owned()).required(false) } else { arg }
        })
        .mut_subcommands(|subcommand| with_default(subcommand, key, value, found))
}

/// The value as it would be written on the command line; lists are joined by commas.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(yes) => Some(yes.to_string()),
        Value::Array(values) => {
            let texts: Option<Vec<String>> = values.iter().map(plain).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}
