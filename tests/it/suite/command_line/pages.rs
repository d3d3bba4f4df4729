//! The man pages and the completions of `contrib` say what the command line is.

use std::collections::BTreeMap;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::{Generator, Shell, generate};
use similar::TextDiff;
use tokenwright::cli::Cli;

/// Files by their paths below `contrib`.
type Files = BTreeMap<String, String>;

fn completions(shell: Shell) -> (String, String) {
    let mut written = Vec::new();
    generate(shell, &mut Cli::command(), "tokenwright", &mut written);
    let path = format!("completions/{}", shell.file_name("tokenwright"));
    (path, String::from_utf8(written).unwrap())
}

/// One page for the program, and one for each of its commands.
fn man_pages() -> Files {
    let folder = tempfile::tempdir().unwrap();
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), folder.path()).unwrap();
    read(folder.path()).into_iter().map(|(name, page)| (format!("man/{name}"), page)).collect()
}

fn read(folder: &Path) -> Files {
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, std::fs::read_to_string(entry.path()).unwrap())
    };
    std::fs::read_dir(folder).map_or_else(|_| Files::new(), |entries| entries.map(entry).collect())
}

#[test]
fn the_committed_pages_are_those_of_this_program() {
    let contrib = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib");
    let mut generated = man_pages();
    generated.extend([Shell::Bash, Shell::Fish, Shell::Zsh].map(completions));
    let mut committed = Files::new();
    for folder in ["man", "completions"] {
        let found = read(&contrib.join(folder)).into_iter();
        committed.extend(found.map(|(name, page)| (format!("{folder}/{name}"), page)));
    }
    if generated == committed {
        return;
    }

    // Written where they can be copied from.
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    for folder in ["man", "completions"] {
        std::fs::remove_dir_all(fresh.join(folder)).unwrap_or_default();
        std::fs::create_dir_all(fresh.join(folder)).unwrap();
    }
    for (path, text) in &generated {
        std::fs::write(fresh.join(path), text).unwrap();
    }
    let mut differences = String::new();
    for path in
        generated.keys().chain(committed.keys().filter(|path| !generated.contains_key(*path)))
    {
        let [old, new] =
            [&committed, &generated].map(|files| files.get(path).map_or("", |text| text));
        let diff = TextDiff::from_lines(old, new);
        differences += &diff.unified_diff().context_radius(1).header(path, path).to_string();
    }
    panic!(
        "contrib/man and contrib/completions are stale; run `rm -r contrib/man \
         contrib/completions; cp -r {0}/man {0}/completions contrib/`\n{differences}",
        fresh.display()
    );
}

#[test]
fn every_command_has_a_page_and_every_page_names_its_settings() {
    let pages = man_pages();
    for (path, command) in super::commands() {
        let name = [&["tokenwright".to_owned()], path.as_slice()].concat().join("-");
        let page = pages.get(&format!("man/{name}.1")).unwrap_or_else(|| panic!("{name}"));
        let page = page.replace("\\-", "-");
        for flag in super::flags(&command) {
            let long = format!("--{}", flag.get_long().unwrap());
            assert!(page.contains(&long), "{name}: {long}");
        }
    }
}
