//! `tokenwright config example`: written from the definitions of the flags, so it cannot differ
//! from them.

use clap::{Arg, Command, CommandFactory};

use crate::cli::output::print;
use crate::cli::{Cli, CliError};
use crate::config::settings_of;

/// The longest line, in characters.
const WIDTH: usize = 100;

const HEAD: &str = "\
# Settings of Tokenwright. Each one can also be given as a flag (--listen) or in the environment
# (TOKENWRIGHT_LISTEN); flags come before the environment, and that before this file.
# What is commented out shows the default, or what to write. An unknown key is an error:
# `tokenwright config check --config FILE` finds every one.
";

pub(super) fn run() -> Result<(), CliError> {
    let mut command = Cli::command();
    command.build();
    print(&example(&command)).map_err(CliError::Output)
}

fn example(command: &Command) -> String {
    let mut text = HEAD.to_owned();
    let (mut heading, mut written) = (None, Vec::new());
    for arg in settings_of(command) {
        let Some(name) = arg.get_long() else { continue };
        if name == "config" || written.contains(&name) {
            continue;
        }
        written.push(name);
        if arg.get_help_heading() != heading {
            heading = arg.get_help_heading();
            text.push_str(&format!("\n## {}\n", heading.unwrap_or("Other")));
        }
        text.push('\n');
        text.push_str(&meaning(arg));
        text.push_str(&format!("# {name} = {}\n", value(arg)));
    }
    text
}

/// What `--help` says of it, as a comment.
fn meaning(arg: &Arg) -> String {
    let help = arg.get_long_help().or_else(|| arg.get_help());
    let mut text = help.map(ToString::to_string).unwrap_or_default();
    // clap takes the last full stop away.
    if !text.ends_with('.') {
        text.push('.');
    }
    let possible = arg.get_possible_values();
    let names: Vec<&str> = possible.iter().map(clap::builder::PossibleValue::get_name).collect();
    if !names.is_empty() {
        text.push_str(&format!(" One of: {}.", names.join(", ")));
    }
    if arg.get_default_values().is_empty() {
        text.push_str(" Not set by default.");
    }
    let mut lines = String::new();
    let mut length = WIDTH;
    for word in text.split_whitespace() {
        if length + 1 + word.chars().count() > WIDTH {
            lines.push_str(if lines.is_empty() { "#" } else { "\n#" });
            length = 1;
        }
        lines.push(' ');
        lines.push_str(word);
        length += 1 + word.chars().count();
    }
    lines.push('\n');
    lines
}

/// The default, or what kind of value it takes.
fn value(arg: &Arg) -> String {
    let default = arg.get_default_values().first().map(|value| value.to_string_lossy());
    let placeholder = || arg.get_value_names().and_then(|names| names.first());
    let text = default.unwrap_or_else(|| placeholder().map_or("", |name| name.as_str()).into());
    if text.parse::<i64>().is_ok() || text.parse::<bool>().is_ok() {
        return text.into_owned();
    }
    toml::Value::String(text.into_owned()).to_string()
}
