//! All settings with their sources, and all their faults at once.

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command};

use super::settings::{CONFIG, Gathered, Given, SettingsError, Source, settings, wrong_setting};
use super::value::has_user;
use crate::db::DatabaseUrl;

/// The command that reports every fault, where others end at the first one.
pub(super) const CHECK: [&str; 2] = ["config", "check"];

/// What there is to report.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// Every setting.
    pub settings: Vec<Inspected>,
    /// Every fault, in sentences.
    pub faults: Vec<String>,
}

/// A setting that can be shown.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// Its name, as in the settings file.
    pub name: String,
    /// What it is set to, without a secret; `None`: it is not set.
    pub value: Option<String>,
    /// Where that comes from; `None`: it is the default.
    pub source: Option<Source>,
}

impl Inspection {
    /// Has clap read the settings until it finds no fault, each time without the one that was
    /// wrong. The command sees defaults in place of these.
    pub(super) fn of(
        command: &Command,
        mut gathered: Gathered,
    ) -> Result<(ArgMatches, Self), SettingsError> {
        let mut faults: Vec<String> =
            std::mem::take(&mut gathered.faults).iter().map(sentence).collect();
        let settings = shown(command, &gathered.given);
        loop {
            let error = match gathered.parse(command) {
                Ok(matches) => return Ok((matches, Self { settings, faults })),
                Err(error) => error,
            };
            let Some(wrong) = position(&error, command, &mut gathered) else {
                return Err(error.into());
            };
            gathered.given.remove(wrong);
            faults.push(brief(&error));
        }
    }
}

/// The place of the setting that is wrong, or that misses another one.
fn position(error: &clap::Error, command: &Command, gathered: &mut Gathered) -> Option<usize> {
    let named = wrong_setting(error)
        .and_then(|wrong| gathered.given.iter().position(|(name, _)| *name == wrong));
    if named.is_some() || error.kind() != ErrorKind::MissingRequiredArgument {
        return named;
    }
    (0..gathered.given.len()).find(|&place| {
        let left_out = gathered.given.remove(place);
        let passes = gathered.parse(command).is_ok();
        gathered.given.insert(place, left_out);
        passes
    })
}

fn sentence(error: &SettingsError) -> String {
    match error {
        SettingsError::Clap(error) => brief(error),
        other => other.to_string(),
    }
}

/// The error without what clap says of the usage.
fn brief(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let text = text.split("\n\nUsage:").next().unwrap_or(text);
    let text = text.split("\n\nFor more information").next().unwrap_or(text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.fold(String::new(), |mut text, line| {
        if !text.is_empty() {
            text.push_str(if text.ends_with(':') || line.starts_with('[') { " " } else { "; " });
        }
        text + line
    })
}

fn shown(command: &Command, given: &[(String, Given)]) -> Vec<Inspected> {
    let mut built = command.clone();
    built.build();
    let check = CHECK.iter().try_fold(&built, |command, word| command.find_subcommand(word));
    let shown = |arg: &Arg| {
        let name = arg.get_long().filter(|name| *name != CONFIG)?.to_owned();
        let found = given.iter().find(|(other, _)| *other == name).map(|(_, given)| given);
        // A companion is shown as the source of its setting.
        if found.is_none() && arg.get_default_values().is_empty() {
            return Some(Inspected { name, value: None, source: None });
        }
        let values = found.map_or_else(
            || arg.get_default_values().iter().map(text).collect(),
            |given| given.values.iter().map(text).collect::<Vec<_>>(),
        );
        let value = values.join(",");
        let may_be_secret = arg.is_hide_env_values_set() || has_user(&value);
        let value = if may_be_secret { without_secret(&value) } else { value };
        Some(Inspected {
            name,
            value: Some(value),
            source: found.map(|found| found.source.clone()),
        })
    };
    check.into_iter().flat_map(settings).filter_map(shown).collect()
}

fn text(value: impl AsRef<std::ffi::OsStr>) -> String {
    value.as_ref().to_string_lossy().into_owned()
}

/// What is hidden in `--help` may be a secret. A database URL shows where the database is.
fn without_secret(value: &str) -> String {
    DatabaseUrl::parse(value).map_or_else(|_| "(hidden)".to_owned(), |url| url.to_string())
}
