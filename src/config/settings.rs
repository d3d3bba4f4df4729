//! Where each setting comes from: the flag, else the environment, else the settings file, else the
//! default.
//!
//! Everything is brought into the form of flags first, in one place, and clap reads only those
//! flags, so a value means the same and is trimmed in the same way wherever it comes from. What is
//! called a setting here is a flag that has an environment variable; the others belong to one run
//! of one command.
//!
//! A setting that may be a secret has a companion `..-file`, which names a file that holds its
//! value.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use clap::builder::{Resettable, StyledStr};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::file::FileError;
use super::inspection::{CHECK, Inspection};
use super::suggestion::did_you_mean;
use super::value::{cleaned, has_user};
use super::{environment, file, file_mode};

/// The setting that names the settings file itself.
pub(super) const CONFIG: &str = "config";
/// The ending of a companion's name.
const FILE: &str = "-file";

/// The command line with everything that the environment and the settings file add to it.
#[derive(Debug)]
pub struct Settings {
    /// The flags as clap read them.
    pub matches: ArgMatches,
    /// Warnings for the operator, for the log.
    pub warnings: Vec<String>,
    /// For the command that reports every fault: what there is to report.
    pub inspection: Option<Inspection>,
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The settings file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A variable with our prefix is not a setting: its name, and a suggestion.
    #[error("the environment has the unknown variable {0}{1}")]
    UnknownVariable(String, String),
    /// The value is not repeated: it may be a secret.
    #[error("{0} {1}")]
    Value(Source, &'static str),
    /// A setting and its `-file` companion are both given.
    #[error("{0} and --{1} are both given; leave one out")]
    Both(Source, String),
    /// The file that a `-file` setting names cannot be used.
    #[error("{0} names {path}, which {2}", path = .1.display())]
    Companion(Source, PathBuf, String),
    /// The output of clap: help, the version, or an error.
    #[error(transparent)]
    Clap(#[from] clap::Error),
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A flag, by its name without dashes.
    Flag(String),
    /// An environment variable, by its name.
    Variable(String),
    /// A key of the settings file at this path.
    Key(PathBuf, String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "the value of --{name}"),
            Self::Variable(name) => write!(f, "the value of the variable {name}"),
            Self::Key(path, key) => write!(f, "the value of `{key}` in {}", path.display()),
        }
    }
}

/// Values that one source gives to one setting.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) source: Source,
    pub(super) values: Vec<OsString>,
}

/// What the three sources give to one command, and every fault in them.
pub(super) struct Gathered {
    /// The words that call the command.
    path: Vec<String>,
    /// The flags that are not settings, and what is given without a flag.
    others: Vec<OsString>,
    words: Vec<OsString>,
    /// The settings that are given, by their names.
    pub(super) given: Vec<(String, Given)>,
    pub(super) faults: Vec<SettingsError>,
    warnings: Vec<String>,
}

/// Reads the command line, the environment and the settings file.
///
/// # Errors
/// When any of them cannot be used; and for `--help` and `--version`, which end the program.
/// For the command that reports faults, faults are no error.
pub fn read(
    command: &Command,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
) -> Result<Settings, SettingsError> {
    let mut gathered = gather(command, arguments, environment)?;
    let warnings = std::mem::take(&mut gathered.warnings);
    if gathered.path == CHECK {
        let (matches, inspection) = Inspection::of(command, gathered)?;
        return Ok(Settings { matches, warnings, inspection: Some(inspection) });
    }
    if !gathered.faults.is_empty() {
        return Err(gathered.faults.swap_remove(0));
    }
    let matches = gathered.parse(command)?;
    Ok(Settings { matches, warnings, inspection: None })
}

/// Brings the three sources into one form.
fn gather(
    command: &Command,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
) -> Result<Gathered, SettingsError> {
    let mut built = command.clone();
    built.build();
    let known = every_setting(&built);
    let mut faults = unknown_variables(&known, environment);
    let matches = match flags_alone(command.clone()).try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let wrong_usage = || with_help(error, command, arguments).into();
            return Err(faults.into_iter().next().unwrap_or_else(wrong_usage));
        }
    };
    let (path, leaf, matches) = innermost(&built, &matches);
    let mut layers = Layers { leaf, matches, environment, file: None };
    let mut warnings = Vec::new();
    match layers.given(CONFIG) {
        Ok(None) => {}
        Ok(Some(given)) => {
            let config = PathBuf::from(given.values.into_iter().next().unwrap_or_default());
            let values = keys(&config, &known, &mut faults, &mut warnings);
            layers.file = Some((config, values));
        }
        Err(fault) => faults.push(fault),
    }
    let mut given = Vec::new();
    for arg in settings(leaf) {
        let Some(name) = arg.get_long().filter(|name| *name != CONFIG) else { continue };
        match layers.setting(name) {
            Ok(found) => given.extend(found.map(|found| (name.to_owned(), found))),
            Err(fault) => faults.push(fault),
        }
    }
    let path = path.into_iter().map(str::to_owned).collect();
    let (others, words) = (layers.other_flags(), layers.words());
    Ok(Gathered { path, others, words, given, faults, warnings })
}

fn unknown_variables(
    known: &[(String, OsString)],
    environment: &[(OsString, OsString)],
) -> Vec<SettingsError> {
    let is_setting = |name: &OsString| known.iter().any(|(_, variable)| variable == name);
    let unknown = environment::unknown(environment, is_setting).into_iter().map(|name| {
        let variables = known.iter().filter_map(|(_, variable)| variable.to_str());
        let suggestion = did_you_mean(&name, variables);
        SettingsError::UnknownVariable(name, suggestion)
    });
    unknown.collect()
}

/// What the settings file gives to the settings.
fn keys(
    config: &Path,
    known: &[(String, OsString)],
    faults: &mut Vec<SettingsError>,
    warnings: &mut Vec<String>,
) -> Vec<(String, String)> {
    let names = || known.iter().map(|(name, _)| name.as_str());
    let mut values = Vec::new();
    let read = file::read(config).unwrap_or_else(|fault| vec![Err(fault)]);
    for read in read {
        let (key, value) = match read {
            Ok(read) => read,
            Err(fault) => {
                faults.push(fault.into());
                continue;
            }
        };
        if key == CONFIG || !names().any(|name| name == key) {
            let suggestion = did_you_mean(&key, names());
            faults.push(FileError::UnknownKey(config.to_owned(), key, suggestion).into());
            continue;
        }
        // A setting with a companion may be a secret.
        let companion = format!("{key}{FILE}");
        if names().any(|name| name == companion) && value.contains('@') {
            warnings.extend(file_mode::warning(config));
        }
        values.push((key, value));
    }
    values
}

impl Gathered {
    /// Has clap read all of it.
    pub(super) fn parse(&self, command: &Command) -> Result<ArgMatches, clap::Error> {
        let mut canonical: Vec<OsString> = vec![command.get_name().into()];
        canonical.extend(self.path.iter().map(OsString::from));
        canonical.extend(self.others.iter().cloned());
        for (name, given) in &self.given {
            canonical.extend(given.values.iter().map(|value| flag(name, value)));
        }
        canonical.push("--".into());
        canonical.extend(self.words.iter().cloned());
        flags_alone_and_typed(command.clone())
            .try_get_matches_from(canonical)
            .map_err(|error| with_source(error, &self.given))
    }
}

/// The flags, the environment and the file, as far as they concern one command.
struct Layers<'a> {
    leaf: &'a Command,
    matches: &'a ArgMatches,
    environment: &'a [(OsString, OsString)],
    file: Option<(PathBuf, Vec<(String, String)>)>,
}

impl Layers<'_> {
    /// What a setting is set to, by itself or through its companion; `None` for a companion.
    fn setting(&self, name: &str) -> Result<Option<Given>, SettingsError> {
        if name.strip_suffix(FILE).is_some_and(|base| self.arg(base).is_some()) {
            return Ok(None);
        }
        let companion = format!("{name}{FILE}");
        if self.arg(&companion).is_none() {
            return self.given(name);
        }
        let (direct, by_file) = (self.given(name)?, self.given(&companion)?);
        match (direct, by_file) {
            (direct, None) => Ok(direct),
            (Some(direct), Some(by_file)) if rank(&direct) > rank(&by_file) => Ok(Some(direct)),
            (Some(direct), Some(by_file)) if rank(&direct) == rank(&by_file) => {
                Err(SettingsError::Both(direct.source, companion))
            }
            (_, Some(by_file)) => content(by_file).map(Some),
        }
    }

    /// What the first source that has it gives to a setting.
    fn given(&self, name: &str) -> Result<Option<Given>, SettingsError> {
        let Some(arg) = self.arg(name) else { return Ok(None) };
        let is_list = matches!(arg.get_action(), ArgAction::Append);
        if let Some(values) = self.by_flag(arg) {
            return explicit(Source::Flag(name.to_owned()), values, is_list).map(Some);
        }
        let variable = arg.get_env().unwrap_or_default();
        if let Some((name, value)) = self.environment.iter().find(|(name, _)| name == variable) {
            let source = Source::Variable(name.to_string_lossy().into_owned());
            let value = clean(&source, value.clone())?;
            // An empty variable counts as not set: shells and containers leave a variable out in
            // this way.
            if !value.is_empty() {
                return Ok(Some(Given { source, values: vec![value] }));
            }
        }
        let Some((path, values)) = &self.file else { return Ok(None) };
        let Some((key, value)) = values.iter().find(|(key, _)| key == name) else {
            return Ok(None);
        };
        let source = Source::Key(path.clone(), key.clone());
        explicit(source, vec![value.into()], is_list).map(Some)
    }

    fn by_flag(&self, arg: &Arg) -> Option<Vec<OsString>> {
        let id = arg.get_id().as_str();
        let is_given = self.matches.value_source(id) == Some(ValueSource::CommandLine);
        let raw = is_given.then(|| self.matches.get_raw(id)).flatten()?;
        Some(raw.map(OsStr::to_owned).collect())
    }

    fn arg(&self, name: &str) -> Option<&Arg> {
        settings(self.leaf).find(|arg| arg.get_long() == Some(name))
    }

    /// The flags that are not settings, as they were given.
    fn other_flags(&self) -> Vec<OsString> {
        let others = self.leaf.get_arguments().filter(|arg| arg.get_env().is_none());
        let flags = others.filter_map(|arg| {
            let (name, values) = (arg.get_long()?, self.by_flag(arg)?);
            Some(match arg.get_action() {
                ArgAction::SetTrue => vec![format!("--{name}").into()],
                _ => values.iter().map(|value| flag(name, value)).collect(),
            })
        });
        flags.flatten().collect()
    }

    /// What was given without a flag.
    fn words(&self) -> Vec<OsString> {
        self.leaf.get_positionals().filter_map(|arg| self.by_flag(arg)).flatten().collect()
    }
}

/// A value as it was given. An empty one can only mean an empty list.
fn explicit(source: Source, values: Vec<OsString>, is_list: bool) -> Result<Given, SettingsError> {
    let values = values.into_iter().map(|value| clean(&source, value));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    if !is_list && values.iter().any(|value| value.is_empty()) {
        return Err(SettingsError::Value(source, "is empty; leave it out for the default"));
    }
    Ok(Given { source, values })
}

/// Paths need not be UTF-8 and stay as they are then.
fn clean(source: &Source, value: OsString) -> Result<OsString, SettingsError> {
    match value.to_str().map(cleaned) {
        None => Ok(value),
        Some(Ok(text)) => Ok(text.into()),
        Some(Err(wrong)) => Err(SettingsError::Value(source.clone(), wrong)),
    }
}

/// The value that the file of a companion holds.
fn content(by_file: Given) -> Result<Given, SettingsError> {
    let source = by_file.source;
    let path = PathBuf::from(by_file.values.into_iter().next().unwrap_or_default());
    let wrong = |path: &Path, wrong: &dyn fmt::Display| {
        SettingsError::Companion(source.clone(), path.to_owned(), wrong.to_string())
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| wrong(&path, &format!("cannot be read: {error}")))?;
    match cleaned(&text) {
        Ok("") => Err(wrong(&path, &"is empty")),
        Ok(text) => Ok(Given { values: vec![text.into()], source: source.clone() }),
        Err(fault) => Err(wrong(&path, &fault)),
    }
}

fn rank(given: &Given) -> u8 {
    match given.source {
        Source::Flag(_) => 2,
        Source::Variable(_) => 1,
        Source::Key(..) => 0,
    }
}

fn flag(name: &str, value: &OsStr) -> OsString {
    let mut flag = OsString::from(format!("--{name}="));
    flag.push(value);
    flag
}

fn is_setting(arg: &Arg) -> bool {
    arg.get_long().is_some() && arg.get_env().is_some()
}

/// The flags of a command that are settings.
pub(super) fn settings(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| is_setting(arg))
}

/// The settings of a command and of those below it; one of several commands comes several times.
pub fn settings_of(command: &Command) -> Vec<&Arg> {
    settings(command).chain(command.get_subcommands().flat_map(settings_of)).collect()
}

/// The name and the variable of every setting of any command.
fn every_setting(command: &Command) -> Vec<(String, OsString)> {
    let names = |arg: &Arg| Some((arg.get_long()?.to_owned(), arg.get_env()?.to_owned()));
    settings_of(command).into_iter().filter_map(names).collect()
}

/// The words that call a command, the command itself, and what was found for it.
fn innermost<'a>(
    command: &'a Command,
    matches: &'a ArgMatches,
) -> (Vec<&'a str>, &'a Command, &'a ArgMatches) {
    let (mut path, mut command, mut matches) = (Vec::new(), command, matches);
    while let Some((name, inner)) = matches.subcommand()
        && let Some(subcommand) = command.find_subcommand(name)
    {
        path.push(name);
        (command, matches) = (subcommand, inner);
    }
    (path, command, matches)
}

/// The command with settings that take any value, and only from flags.
fn flags_alone(command: Command) -> Command {
    let raw = |arg: Arg| {
        let arg = arg.env(Resettable::Reset).default_value(Resettable::Reset);
        arg.value_parser(value_parser!(OsString))
    };
    mut_settings(command, &raw)
}

/// The command with settings that take their own values, in small or capital letters, and only from
/// flags.
fn flags_alone_and_typed(command: Command) -> Command {
    mut_settings(command, &|arg| arg.env(Resettable::Reset).ignore_case(true))
}

fn mut_settings(command: Command, change: &dyn Fn(Arg) -> Arg) -> Command {
    command
        .mut_args(|arg| if is_setting(&arg) { change(arg) } else { arg })
        .mut_subcommands(|subcommand| mut_settings(subcommand, change))
}

/// Help is printed by the command as it was, which knows defaults and variables.
fn with_help(error: clap::Error, command: &Command, arguments: &[OsString]) -> clap::Error {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let again = command.clone().try_get_matches_from(arguments);
            again.err().filter(|again| again.kind() == error.kind()).unwrap_or(error)
        }
        _ => error,
    }
}

/// Adds to the error the source of a value that did not come from a flag, and takes passwords out.
fn with_source(mut error: clap::Error, all: &[(String, Given)]) -> clap::Error {
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue)
        && has_user(value)
    {
        let hidden = ContextValue::String("(hidden)".to_owned());
        error.insert(ContextKind::InvalidValue, hidden);
    }
    let given = wrong_setting(&error).and_then(|wrong| all.iter().find(|(name, _)| *name == wrong));
    if let Some((_, Given { source: source @ (Source::Variable(_) | Source::Key(..)), .. })) = given
    {
        let hint = ContextValue::StyledStrs(vec![StyledStr::from(format!("this is {source}"))]);
        error.insert(ContextKind::Suggested, hint);
    }
    error
}

/// The setting that an error of clap is about.
pub(super) fn wrong_setting(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = flag.trim_start_matches("--").split([' ', '=', '[']).next()?;
    Some(name.to_owned())
}
