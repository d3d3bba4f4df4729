//! `config check` and `config example`.

use std::fs::{read_to_string, write};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::{HIDDEN, commands, flags, leaving_no_file};
use crate::support::{Binary, TestDatabase, assert_ended, files, migrated};

const CHECK: [&str; 2] = ["config", "check"];

/// The line of a setting in what `config check` prints: its columns.
fn line(stdout: &str, name: &str) -> Vec<String> {
    let of_setting = |line: &&str| line.split_whitespace().next() == Some(name);
    let line = stdout.lines().find(of_setting).unwrap_or_else(|| panic!("{name}: {stdout}"));
    line.split("  ").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[test]
fn every_setting_is_shown_with_its_source() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join("s.toml"), "workers = 3\nlog = 'warn'\ntrusted-proxies = ['::1']\n")
        .unwrap();
    let check = Binary::new(folder.path(), &CHECK)
        .args(&["--config", "s.toml", "--log", "debug", "--playground"])
        .env("TOKENWRIGHT_WORKERS", "4");
    let ended = check.run();
    assert_ended(&ended, 0, "the settings are valid");
    for (name, expected) in [
        ("workers", ["4", "variable TOKENWRIGHT_WORKERS"]),
        ("log", ["debug", "flag --log"]),
        ("playground", ["true", "flag --playground"]),
        ("trusted-proxies", ["::1", "file s.toml"]),
        ("listen", ["127.0.0.1:8080", "default"]),
        ("tls-key", ["-", "default"]),
    ] {
        assert_eq!(line(&ended.stdout, name)[1..], expected);
    }
    let (_, serve) = commands().into_iter().find(|(path, _)| path == &["serve"]).unwrap();
    for name in flags(&serve).filter_map(|arg| arg.get_long()).filter(|name| *name != "config") {
        line(&ended.stdout, name);
    }
    assert_eq!(files(folder.path()), ["s.toml"], "nothing was made");
}

#[test]
fn every_fault_is_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = "lisen = 'x'\nworkers = 0\nlog = {}\nintrospection = 'all'\npermissions = 'nowhere'\n\
                tls-key = 'key.pem'\n";
    write(folder.path().join("s.toml"), text).unwrap();
    let ended = Binary::new(folder.path(), &CHECK)
        .args(&["--config", "s.toml", "--listen", "8080", "--database-url", "mysql://x"])
        .env("TOKENWRIGHT_BCRYPT_COST", "99")
        .env("TOKENWRIGHT_LOGG", "x")
        .env("TOKENWRIGHT_WORKER", "x")
        .run();
    assert_ended(&ended, 2, "the settings have 11 fault(s)");
    for told in [
        "unknown key `lisen`; did you mean `listen`?",
        "a table or a date at `log`",
        "'0' for '--workers <NUMBER>': 0 is not in 1..=1024; tip: this is the value of `workers`",
        "'all' for '--introspection",
        "the permission catalogue nowhere cannot be read",
        "--tls-certificate",
        "127.0.0.1:8080",
        "unknown scheme `mysql`",
        "'99' for '--bcrypt-cost <COST>'",
        "TOKENWRIGHT_LOGG",
        "did you mean `TOKENWRIGHT_WORKERS`?",
    ] {
        assert_ended(&ended, 2, told);
    }
    // What `serve` refuses, it refuses, one by one.
    assert_eq!(Binary::new(folder.path(), &["serve", "--config", "s.toml"]).run().code, Some(2));
    for faulty in ["nowhere.toml", "s.toml"] {
        write(folder.path().join("s.toml"), "listen = ").unwrap();
        let ended = Binary::new(folder.path(), &CHECK).args(&["--config", faulty]).run();
        assert_ended(&ended, 2, faulty);
        assert_ended(&ended, 2, "1 fault(s)");
    }
}

#[test]
fn no_password_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    for url in [
        format!("postgres://someone:{HIDDEN}@db.example/name"),
        format!("postgres://someone@db.example/name?password={HIDDEN}"),
        format!("postgres://someone:{HIDDEN}@db.example:nonsense/name"),
        format!("mysql://someone:{HIDDEN}@db.example/name"),
        HIDDEN.to_owned(),
    ] {
        write(folder.path().join("url"), &url).unwrap();
        write(folder.path().join("s.toml"), format!("database-url = '{url}'\nworkers = 0"))
            .unwrap();
        let check = || Binary::new(folder.path(), &CHECK);
        for ended in [
            check().args(&["--database-url", &url]).run(),
            check().env("TOKENWRIGHT_DATABASE_URL", &url).run(),
            check().args(&["--database-url-file", "url"]).run(),
            check().args(&["--config", "s.toml"]).run(),
            check().args(&["--config", "s.toml", "--database-url-file", "nowhere"]).run(),
        ] {
            let said = ended.stdout + &ended.stderr;
            assert!(!said.contains(HIDDEN), "{url}: {said}");
        }
    }
    let collector = format!("http://someone:{HIDDEN}@collector:4318");
    let refused = Binary::new(folder.path(), &CHECK).args(&["--otlp-endpoint", &collector]).run();
    assert_ended(&refused, 2, "OTEL_EXPORTER_OTLP_HEADERS");
    assert!(!(refused.stdout + &refused.stderr).contains(HIDDEN));
    let refused = leaving_no_file(&["serve", "--otlp-endpoint", &collector]);
    assert_ended(&refused, 2, "OTEL_EXPORTER_OTLP_HEADERS");
    assert!(!refused.stderr.contains(HIDDEN), "{}", refused.stderr);
    let url = format!("postgres://someone:{HIDDEN}@db.example/name");
    let shown = Binary::new(folder.path(), &CHECK).args(&["--database-url", &url]).run();
    let expected = ["postgres://someone:(hidden)@db.example:5432/name", "flag --database-url"];
    assert_eq!(line(&shown.stdout, "database-url")[1..], expected);
}

#[test]
fn what_is_a_risk_is_warned_of() {
    let ended = leaving_no_file(&["config", "check", "--listen", "0.0.0.0:8080"]);
    assert_ended(&ended, 0, "warning: listen is 0.0.0.0:8080, where tokens travel unencrypted");
    let ended = leaving_no_file(&["config", "check", "--trusted-proxies", "0.0.0.0/0"]);
    assert_ended(&ended, 0, "warning: trusted-proxies names every address");
}

#[test]
fn the_database_is_tried_only_when_that_is_wanted() {
    let current = migrated();
    let check = |database: &TestDatabase| Binary::on(database, &CHECK);
    assert_ended(&check(&current).args(&["--connect"]).run(), 0, "answers and is up to date");
    let fresh = TestDatabase::new();
    let before = files(fresh.folder());
    assert_ended(&check(&fresh).run(), 0, "valid");
    let ended = check(&fresh).args(&["--connect"]).run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_ended(&ended, 1, "the settings are valid, but 1 of what they name cannot be used");
    assert_eq!(files(fresh.folder()), before, "nothing was made");
    let nobody = format!("postgres://u:{HIDDEN}@127.0.0.1:1/n");
    let ended = leaving_no_file(&["config", "check", "--connect", "--database-url", &nobody]);
    assert_ended(&ended, 1, "postgres://u:(hidden)@127.0.0.1:1/n: ");
    assert!(!ended.stderr.contains(HIDDEN), "{}", ended.stderr);
}

#[test]
fn certificate_and_key_are_tried() {
    let database = migrated();
    let path = |name: &str| database.folder().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("certificate.pem"), path("key.pem"));
    let pair = |until: i32| {
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        write(&certificate, params.self_signed(&pair).unwrap().pem()).unwrap();
        write(&key, pair.serialize_pem()).unwrap();
    };
    let check = || {
        let tls = ["--tls-certificate", &certificate, "--tls-key", &key, "--connect"];
        Binary::on(&database, &CHECK).args(&tls).run()
    };
    pair(2400);
    assert_ended(&check(), 0, "belongs to its key and is valid until 2400-01-01");
    pair(2001);
    assert_ended(&check(), 1, "has expired on 2001-01-01");
    let half = read_to_string(&certificate).unwrap();
    write(&certificate, &half[..half.len() / 2]).unwrap();
    assert_ended(&check(), 1, "is no PEM file, or only a part of one");
    std::fs::remove_file(&key).unwrap();
    pair(2400);
    write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert_ended(&check(), 1, "is not that of the certificate");
    std::fs::remove_file(&key).unwrap();
    assert_ended(&check(), 1, "(`tls-key`)");
}

#[test]
fn the_example_has_every_setting_and_passes_the_check() {
    let printed = leaving_no_file(&["config", "example"]);
    assert_ended(&printed, 0, "");
    let mut expected: Vec<String> = commands()
        .iter()
        .flat_map(|(_, command)| {
            flags(command).filter(|arg| arg.get_env().is_some()).cloned().collect::<Vec<_>>()
        })
        .filter_map(|arg| arg.get_long().map(str::to_owned))
        .filter(|name| name != "config")
        .collect();
    expected.sort();
    expected.dedup();
    let setting = |line: &&str| line.starts_with("# ") && line.contains(" = ");
    let lines: Vec<&str> = printed.stdout.lines().filter(setting).collect();
    let mut found: Vec<&str> = lines
        .iter()
        .map(|line| line.trim_start_matches("# ").split(" = ").next().unwrap())
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert!(printed.stdout.lines().all(|line| line.chars().count() <= 100), "{}", printed.stdout);
    // As it is printed, and with every default written out.
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str| {
        write(folder.path().join("s.toml"), text).unwrap();
        Binary::new(folder.path(), &CHECK).args(&["--config", "s.toml"]).run()
    };
    let as_printed = check(&printed.stdout);
    assert_ended(&as_printed, 0, "the settings are valid");
    let defaults: Vec<String> = as_printed
        .stdout
        .lines()
        .filter(|line| !line.split_whitespace().any(|word| word == "-"))
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect();
    let written: String = lines
        .iter()
        .map(|line| line.trim_start_matches("# "))
        .filter(|line| defaults.iter().any(|name| line.starts_with(&format!("{name} = "))))
        .map(|line| format!("{line}\n"))
        .collect();
    let written_out = check(&written);
    assert_ended(&written_out, 0, "the settings are valid");
    for name in &defaults {
        let [before, after] = [&as_printed, &written_out].map(|ended| line(&ended.stdout, name));
        assert_eq!(before[1], after[1]);
        assert_eq!(after[2], "file s.toml");
    }
}
