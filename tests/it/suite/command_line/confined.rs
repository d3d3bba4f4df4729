//! The program where it may do little: under the filters of the systemd unit, as the first process
//! of a container, on a file system that can only be read, as a user that nobody knows.

use std::process::Command;
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta};
use serde_json::json;
use tokenwright::domain::clock::{Clock, SystemClock};

use crate::support::{
    Binary, Ended, Running, TestDatabase, administrator, assert_ended, migrated, migration_names,
    undo_migrations,
};

const UNIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/systemd/tokenwright.service");
const AS_THE_UNIT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/suite/command_line/as_the_unit.py");
/// Debian's own, which has `seccomp`.
const PYTHON: &str = "/usr/bin/python3";
/// Signals by name and number.
const TERM: (&str, u32) = ("TERM", 15);
const INT: (&str, u32) = ("INT", 2);
/// Longest wait for a handler.
const PATIENCE: Duration = Duration::from_secs(60);

fn systemd_analyze(arguments: &[&str]) -> (bool, String) {
    let ended = Command::new("systemd-analyze").args(arguments).arg(UNIT).output();
    let ended = ended.unwrap();
    let [out, err] = [&ended.stdout, &ended.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    (ended.status.success(), format!("{out}{err}"))
}

#[test]
fn the_unit_exposes_little_and_systemd_knows_every_line_of_it() {
    // The threshold is in tenths.
    let (within, said) = systemd_analyze(&["security", "--offline=true", "--threshold=15"]);
    assert!(within, "{said}");
    assert!(said.contains("Overall exposure level for tokenwright.service: 1."), "{said}");
    let (_, said) = systemd_analyze(&["verify"]);
    // The program is not installed here.
    let of_the_unit = |line: &&str| !line.is_empty() && !line.contains("is not executable");
    assert_eq!(said.lines().filter(of_the_unit).collect::<Vec<_>>(), [""; 0]);
}

/// Where what starts the program finds what it needs itself.
#[expect(clippy::disallowed_methods, reason = "it is no setting of the program")]
fn path() -> String {
    std::env::var("PATH").unwrap()
}

/// The program on a database, started by another one.
fn by(starter: &[&str], database: &TestDatabase, arguments: &[&str]) -> Binary {
    let mut command = Command::new(starter[0]);
    command.args(&starter[1..]).arg(env!("CARGO_BIN_EXE_tokenwright")).args(arguments);
    // By its name, which has to be looked up.
    let url = database.url_text().replace("127.0.0.1", "localhost");
    command.args(["--database-url", &url]).current_dir(database.folder()).env_clear();
    Binary::from(command)
}

/// A whole life, from nothing to an orderly end: migrations, the first token, hashes, changes,
/// lists, metrics, a reload, a backup.
async fn lives(starter: &[&str], database: &TestDatabase) {
    let path = path();
    let run = |arguments: &[&str]| by(starter, database, arguments).env("PATH", &path);
    assert_ended(&run(&["migrate"]).run(), 0, "applied");
    let token = ["admin", "create-token", "--all-permissions", "--name", "a", "--expires-in", "1d"];
    let made = run(&token).run();
    assert_ended(&made, 0, "");
    let admin = made.stdout.trim().to_owned();
    let listeners = ["--metrics-listen", "127.0.0.1:0", "--ext-authz-listen", "127.0.0.1:0"];
    // Few, so that there are enough descriptors everywhere.
    let server = run(&["serve", "--max-connections", "100", "--trusted-proxies", "10.9.9.9"]);
    let server = server.args(&listeners).serve();
    assert_eq!(server.get("/readyz").await.status, 200);
    let create = "mutation ($name: String!, $expiry: DateTime!) { createApiToken(input: { \
                  name: $name, expiry: $expiry, permissions: [API_USERS_READ] }) { token } }";
    let expiry = SystemClock.now() + TimeDelta::days(1);
    let expiry = expiry.to_rfc3339_opts(SecondsFormat::Secs, true);
    for number in 0..5 {
        let variables = json!({ "name": format!("t{number}"), "expiry": expiry });
        let created = server.graphql(&admin, create, variables).await;
        let secret = created.data()["createApiToken"]["token"].as_str().unwrap().to_owned();
        let own = server.graphql(&secret, "{ currentUser { name } }", json!({})).await;
        assert_eq!(own.data()["currentUser"]["name"], format!("t{number}"));
    }
    let all = "{ apiTokens(first: 9, filter: { nameContains: \"t\" }) { nodes { name } } }";
    let all = server.graphql(&admin, all, json!({})).await;
    assert!(all.text.contains("t4"), "{}", all.text);
    let said = server.running.until(|said| said.err().contains("Prometheus on http://"));
    let text = said.err();
    let url = text.split_once("Prometheus on ").unwrap().1.lines().next().unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
    if database.url_text().starts_with("sqlite:") {
        assert_ended(&run(&["admin", "backup", "copy"]).run(), 0, "was checked");
    }
    signal(&server.running, "HUP");
    server.running.until(|said| said.err().contains("SIGHUP is ignored"));
    signal(&server.running, "TERM");
    let ended = server.running.wait();
    assert_ended(&ended, 0, "shutting down");
    assert!(!ended.stderr.contains("WARN"), "{}", ended.stderr);
}

/// Signals the program itself, whatever started it.
fn signal(running: &Running, name: &str) {
    let kill = format!("kill -s {name} {}", innermost(running.id()));
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// What a process has started in the end.
fn innermost(process: u32) -> String {
    let mut process = process.to_string();
    loop {
        let children = format!("/proc/{process}/task/{process}/children");
        let children = std::fs::read_to_string(children).unwrap_or_default();
        match children.split_whitespace().next() {
            Some(child) => process = child.to_owned(),
            None => return process,
        }
    }
}

/// Signals the program once it handles the signal, and waits for its end. Before that, Linux drops it,
/// or lets it end the process while one of its threads is being started.
fn stopped(running: Running, (name, number): (&str, u32)) -> Ended {
    let start = Instant::now();
    while caught(&innermost(running.id())) & (1 << (number - 1)) == 0 {
        assert!(start.elapsed() < PATIENCE, "it does not handle SIG{name}");
        std::thread::sleep(Duration::from_millis(10));
    }
    signal(&running, name);
    running.wait()
}

/// The signals that a process handles, a bit for each.
fn caught(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    mask.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap())
}

/// As the unit has it, the user is not root: as root, SQLite would hand its files over (`fchown`).
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_the_unit_refuses_is_tried() {
    let filters = [PYTHON, AS_THE_UNIT, UNIT, "kill"];
    // What the unit refuses ends a process here.
    let refused = Command::new(PYTHON).args(&filters[1..]).args(["/usr/sbin/chroot", "/"]).status();
    assert_eq!(refused.unwrap().code(), None);
    let user = ["bwrap", "--unshare-user", "--uid", "54321", "--gid", "54321"];
    let all = ["--dev-bind", "/", "/", "--die-with-parent"];
    lives(&[&user[..], &all, &filters].concat(), &TestDatabase::new()).await;
}

/// A container: its first process, a root that can only be read, no home, and no name for the user.
/// The program's folder is all that can be written.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_needs_to_offer_nothing_but_a_folder() {
    let database = TestDatabase::new();
    let folder = database.folder().to_str().unwrap().to_owned();
    let container = [
        "bwrap",
        "--unshare-pid",
        "--as-pid-1",
        "--unshare-user",
        "--uid",
        "54321",
        "--gid",
        "54321",
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--bind",
        &folder,
        &folder,
        "--die-with-parent",
    ];
    let user = Command::new("bwrap")
        .args(&container[1..])
        .args(["sh", "-c", "echo $$; id -u; echo > /x"])
        .output();
    let user = user.unwrap();
    assert_eq!(String::from_utf8_lossy(&user.stdout), "1\n54321\n");
    assert!(String::from_utf8_lossy(&user.stderr).contains("Read-only file system"));
    lives(&container, &database).await;
}

/// A container in which the program is the first process.
const CONTAINER: [&str; 8] =
    ["bwrap", "--unshare-pid", "--as-pid-1", "--bind", "/", "/", "--dev", "/dev"];

/// A signal that the first process does not handle is lost.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_process_handles_signals_before_it_announces_itself() {
    let database = migrated();
    let path = path();
    for _ in 0..3 {
        let server = by(&CONTAINER, &database, &["serve"]).env("PATH", &path).serve();
        signal(&server.running, "INT");
        assert_ended(&server.running.wait(), 0, "shutting down");
    }
}

/// Reads what another process of the same user was started with, and what the server was.
const LOOKS: &str = r#"
    sleep 60 &
    other=$!
    "$@" &
    server=$!
    until [ -e look ]; do sleep 0.1; done
    cat "/proc/$other/environ" >other
    cat "/proc/$server/environ" "/proc/$server/maps" >server
    kill "$other" "$server"
    wait "$server"
"#;

/// What has the rights of the server's user cannot read its memory, nor its settings.
#[tokio::test(flavor = "multi_thread")]
async fn other_processes_of_its_user_cannot_look_into_it() {
    let database = migrated();
    let user = ["bwrap", "--unshare-user", "--uid", "54321", "--gid", "54321"];
    let all = ["--dev-bind", "/", "/", "--die-with-parent", "sh", "-c", LOOKS, "sh"];
    let starter = [&user[..], &all].concat();
    let server = by(&starter, &database, &["serve"]).env("PATH", &path()).serve();
    let folder = database.folder();
    std::fs::write(folder.join("look"), "").unwrap();
    assert_ended(&server.running.wait(), 0, "Permission denied");
    let seen = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(seen("other").contains("PATH="));
    assert_eq!(seen("server"), "");
}

/// Whoever stops the container would wait for its end in vain, and then kill it.
#[test]
fn the_first_process_ends_at_a_signal_whatever_it_waits_for() {
    let database = migrated();
    administrator(&database, "administrator");
    let last = migration_names(&database).pop().unwrap();
    undo_migrations(&database, last.split('_').next().unwrap());
    let path = path();
    let run = |command: &[&str]| by(&CONTAINER, &database, command).env("PATH", &path).start();
    let held = database.migration_lock();
    for (command, signal, code, told) in [
        (&["migrate"][..], TERM, 143, "stopped by SIGTERM; a change"),
        (&["migrate"], INT, 130, "stopped by SIGINT; a change"),
        (&["serve", "--migrate"], TERM, 0, "stopped by SIGTERM before it served anything"),
        (&["dev"], INT, 0, "stopped by SIGINT before it served anything"),
    ] {
        assert_ended(&stopped(run(command), signal), code, told);
    }
    drop(held);
    assert_ended(&Binary::on(&database, &["migrate"]).run(), 0, "applied 1 migration(s)");

    let before = database.rows("api_tokens");
    let revoke = ["admin", "revoke", "--created-before", "now"];
    let held = database.write_lock();
    assert_ended(&stopped(run(&revoke), TERM), 143, "stopped by SIGTERM");
    drop(held);
    assert_eq!(database.rows("api_tokens"), before);
    assert_ended(&Binary::on(&database, &revoke).run(), 0, "disabled 1 tokens");
}

/// A step of the start may block its thread, as a file does that is on a network: here the catalogue
/// is a pipe into which nobody writes.
#[test]
fn a_start_that_is_blocked_ends_at_a_signal() {
    let database = migrated();
    let pipe = database.folder().join("permissions");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let path = path();
    for command in ["serve", "dev"] {
        let arguments = [command, "--permissions", pipe.to_str().unwrap()];
        let running = by(&CONTAINER, &database, &arguments).env("PATH", &path).start();
        let told = "stopped by SIGTERM before it served anything";
        assert_ended(&stopped(running, TERM), 0, told);
    }
}
