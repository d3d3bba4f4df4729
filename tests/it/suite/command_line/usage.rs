//! `--help`, wrong usage, and `schema`.

use super::{HIDDEN, commands, flags, leaving_no_file};
use crate::support::{Binary, assert_ended};

#[test]
fn help_explains_every_command_and_every_flag() {
    let folder = tempfile::tempdir().unwrap();
    for (path, command) in commands() {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let ended = Binary::new(folder.path(), &words).args(&["--help"]).run();
        assert_eq!(ended.code, Some(0), "{path:?}");
        let help = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for arg in flags(&command) {
            let name = format!("--{}", arg.get_long().unwrap());
            assert!(help.contains(&name), "{path:?} {name}");
            let explained = arg.get_help().unwrap().to_string();
            let first = explained.split_whitespace().take(4).collect::<Vec<_>>().join(" ");
            assert!(help.contains(first.trim_end_matches('.')), "{path:?} {name}: {first}");
            if let Some(variable) = arg.get_env() {
                let variable = format!("[env: {}", variable.to_str().unwrap());
                assert!(help.contains(&variable), "{path:?} {name}");
            }
        }
        for sub in command.get_subcommands() {
            assert!(sub.get_about().is_some(), "{path:?} {}", sub.get_name());
        }
    }
}

#[test]
fn help_shows_no_password_that_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://someone:{HIDDEN}@localhost/db");
    std::fs::write(folder.path().join("s.toml"), format!("database-url = \"{url}\"")).unwrap();
    let help = Binary::new(folder.path(), &["serve", "--config", "s.toml", "--help"])
        .env("TOKENWRIGHT_DATABASE_URL", &url)
        .run();
    assert_eq!(help.code, Some(0));
    assert!(!help.stdout.contains(HIDDEN));
}

#[test]
fn every_setting_has_its_environment_variable() {
    for (path, command) in commands() {
        for arg in flags(&command) {
            let long = arg.get_long().unwrap();
            let variable = format!("TOKENWRIGHT_{}", long.to_uppercase().replace('-', "_"));
            match arg.get_env() {
                Some(env) => assert_eq!(env.to_str(), Some(variable.as_str())),
                // What describes one run is no setting.
                None => assert!(["admin", "config"].contains(&path[0].as_str()), "{path:?} {long}"),
            }
        }
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [
        vec![],
        vec!["nonsense"],
        vec!["serve", "--nonsense"],
        vec!["serve", "nonsense"],
        vec!["admin"],
        vec!["admin", "delete-token"],
        vec!["admin", "disable-token", "nonsense"],
        vec!["admin", "enable-token", "tok_00000000000000000000zz", "--descendants"],
        vec!["serve", "--listen", "nonsense"],
        vec!["serve", "--listen"],
        vec!["serve", "--bcrypt-cost", "15"],
        vec!["serve", "--bcrypt-cost", "3"],
        vec!["serve", "--shutdown-timeout", "0s"],
        vec!["serve", "--shutdown-timeout", "10"],
        vec!["serve", "--trusted-proxies", "10.0.0.1/8"],
        vec!["serve", "--introspection", "nonsense"],
        vec!["config", "check", "--nonsense"],
        vec!["schema", "--log", "tokenwright=nonsense=nonsense"],
    ] {
        let ended = leaving_no_file(&arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert_ne!(ended.stderr, "", "{arguments:?}");
    }
}

#[test]
fn schema_prints_the_file_that_is_committed() {
    let printed = leaving_no_file(&["schema"]);
    assert_ended(&printed, 0, "");
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    assert!(printed.stdout == std::fs::read_to_string(committed).unwrap());
}
