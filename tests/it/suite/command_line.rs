//! The command line: what it explains and refuses, where settings come from, how servers start and
//! end.

mod config;
mod confined;
mod create_token;
mod database;
mod dev;
mod existing_token;
mod pages;
mod revoke;
mod serve;
mod service_manager;
mod settings;
mod usage;

use clap::CommandFactory;
use tokenwright::cli::Cli;

use crate::support::{Binary, Ended, files};

const CREATE_TOKEN: [&str; 7] =
    ["admin", "create-token", "--name", "operator", "--expires-in", "90d", "--all-permissions"];

/// A word used as a password.
const HIDDEN: &str = "hidden-word";

/// Every command but the first, with the words that call it.
fn commands() -> Vec<(Vec<String>, clap::Command)> {
    fn below(
        path: &[String],
        command: &clap::Command,
        found: &mut Vec<(Vec<String>, clap::Command)>,
    ) {
        found.push((path.to_vec(), command.clone()));
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let path = [path, &[sub.get_name().to_owned()]].concat();
            below(&path, sub, found);
        }
    }
    let mut root = Cli::command();
    root.build();
    let mut found = Vec::new();
    below(&[], &root, &mut found);
    found
}

/// The flags of a command, `--help` and `--version` aside.
fn flags(command: &clap::Command) -> impl Iterator<Item = &clap::Arg> {
    let ours = |arg: &&clap::Arg| {
        arg.get_long().is_some() && !matches!(arg.get_id().as_str(), "help" | "version")
    };
    command.get_arguments().filter(ours)
}

/// The program in an empty folder, which stays empty.
fn leaving_no_file(arguments: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let ended = Binary::new(folder.path(), arguments).run();
    assert_eq!(files(folder.path()), [""; 0], "{arguments:?}");
    ended
}

fn on_a_database() -> [Vec<&'static str>; 4] {
    [vec!["serve"], vec!["dev"], vec!["migrate"], CREATE_TOKEN.to_vec()]
}
