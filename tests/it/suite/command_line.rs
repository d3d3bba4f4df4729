//! The command line: what it explains and refuses, where settings come from, how servers start and
//! end.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use clap::CommandFactory;
use serde_json::json;
use tokenwright::cli::Cli;
use tokenwright::domain::clock::{Clock, SystemClock};

use crate::support::{
    Binary, DEPRECATED_FIRST, Ended, Server, TestDatabase, administrator, assert_ended, files,
    migrated,
};

const CREATE_TOKEN: [&str; 7] =
    ["admin", "create-token", "--name", "operator", "--expires-in", "90d", "--all-permissions"];

/// A word that stands for a password.
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
    let ours = |arg: &&clap::Arg| !matches!(arg.get_id().as_str(), "help" | "version");
    command.get_arguments().filter(ours)
}

/// The names of all settings, as they stand in a file.
fn settings() -> Vec<String> {
    let (_, serve) = commands().into_iter().find(|(path, _)| path == &["serve"]).unwrap();
    let mut names: Vec<String> = flags(&serve)
        .filter_map(|arg| arg.get_long())
        .filter(|long| *long != "config")
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// The program in an empty folder, with a settings file.
fn with_file(arguments: &[&str], text: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("settings.toml"), text).unwrap();
    Binary::new(folder.path(), arguments).args(&["--config", "settings.toml"]).run()
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
                // What describes one token is no setting.
                None => assert_eq!(path, ["admin", "create-token"], "{long}"),
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
        vec!["serve", "--listen", "nonsense"],
        vec!["serve", "--listen"],
        vec!["serve", "--bcrypt-cost", "15"],
        vec!["serve", "--bcrypt-cost", "3"],
        vec!["serve", "--shutdown-timeout", "0s"],
        vec!["serve", "--shutdown-timeout", "10"],
        vec!["serve", "--trusted-proxies", "10.0.0.1/8"],
        vec!["serve", "--introspection", "nonsense"],
        vec!["schema", "--log", "tokenwright=nonsense=nonsense"],
    ] {
        let ended = leaving_no_file(&arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert_ne!(ended.stderr, "", "{arguments:?}");
    }
}

#[test]
fn a_flag_comes_before_the_environment_and_that_before_the_file() {
    let database = migrated();
    let file = database.folder().join("settings.toml");
    std::fs::write(&file, "listen = \"127.0.0.2:0\"").unwrap();
    let file = file.to_str().unwrap();
    let serve = || Binary::on(&database, &["serve"]);
    let listens_at = |command: Binary| {
        let address = command.start().listening();
        address.split(':').next().unwrap().to_owned()
    };
    let from_file = serve().args(&["--config", file]);
    assert_eq!(listens_at(from_file), "127.0.0.2");
    let from_file = serve().env("TOKENWRIGHT_CONFIG", file);
    assert_eq!(listens_at(from_file), "127.0.0.2");
    let environment = || serve().args(&["--config", file]).env("TOKENWRIGHT_LISTEN", "127.0.0.3:0");
    assert_eq!(listens_at(environment()), "127.0.0.3");
    let flag = environment().args(&["--listen", "127.0.0.4:0"]);
    assert_eq!(listens_at(flag), "127.0.0.4");
    // The port of the default may be taken on this machine; either way it is named.
    let default = serve().start();
    default.until(|said| said.err().contains("127.0.0.1:8080"));
}

/// A value other than the default for every setting.
fn other_settings(database: &TestDatabase) -> Vec<(&'static str, String)> {
    let bookshop = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/suite/bookshop.toml");
    let text = |text: &str| format!("\"{text}\"");
    vec![
        ("allowed-origins", "[\"https://app.example\", \"http://localhost:3000\"]".to_owned()),
        ("bcrypt-cost", "5".to_owned()),
        ("database-connections", "2".to_owned()),
        ("database-idle-transaction-timeout", text("3s")),
        ("database-statement-timeout", text("3s")),
        ("database-url", text(&database.url_text())),
        ("database-wait", text("1s")),
        ("forwarded-header", text("forwarded")),
        ("introspection", text("off")),
        ("listen", text("127.0.0.1:0")),
        ("log", text("info,tokenwright=debug")),
        ("log-format", text("json")),
        ("max-lifetime", text("30d")),
        ("migrate", "true".to_owned()),
        ("permissions", text(bookshop)),
        ("playground", "true".to_owned()),
        ("request-timeout", text("3s")),
        ("shutdown-timeout", text("1s")),
        ("trusted-proxies", "[\"10.0.0.0/8\", \"127.0.0.1\"]".to_owned()),
        ("workers", "2".to_owned()),
    ]
}

/// Starts `serve` and looks at what the other settings change.
async fn has_other_settings(database: &TestDatabase, serve: Binary) {
    let running = serve.start();
    let url = format!("http://{}", running.listening());
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200, "playground");
    let ask = reqwest::Client::new()
        .post(format!("{url}/graphql"))
        .bearer_auth(administrator_of_bookshop(database))
        .header("forwarded", "for=10.0.0.7, for=192.0.2.7")
        .header("origin", "http://localhost:3000")
        .json(&json!({ "query": "{ __schema { queryType { name } } }" }));
    let answer = ask.send().await.unwrap();
    assert!(answer.headers().contains_key("access-control-allow-origin"), "allowed origins");
    let answer = answer.text().await.unwrap();
    assert!(answer.contains("FORBIDDEN"), "introspection: {answer}");
    running.signal("TERM");
    let ended = running.wait();
    assert_ended(&ended, 0, "\"level\":\"INFO\"");
    assert_ended(&ended, 0, "\"client\":\"192.0.2.7\"");
}

fn administrator_of_bookshop(database: &TestDatabase) -> String {
    let bookshop = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/suite/bookshop.toml");
    let ended = Binary::on(database, &CREATE_TOKEN).args(&["--permissions", bookshop]).run();
    ended.stdout.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_setting_can_stand_in_the_file() {
    let database = TestDatabase::new();
    let others = other_settings(&database);
    let names: Vec<&str> = others.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, settings());
    let lines: Vec<String> =
        others.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
    std::fs::write(database.folder().join("s.toml"), lines.concat()).unwrap();
    let serve = Binary::new(database.folder(), &["serve", "--config=s.toml"]);
    has_other_settings(&database, serve).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_setting_can_stand_in_the_environment() {
    let database = TestDatabase::new();
    let serve = Binary::new(database.folder(), &["serve"]);
    let set = |serve: Binary, (name, value): (&str, String)| {
        let name = format!("TOKENWRIGHT_{}", name.to_uppercase().replace('-', "_"));
        serve.env(&name, &value.replace(['"', '[', ']'], "").replace(", ", ","))
    };
    let serve = other_settings(&database).into_iter().fold(serve, set);
    has_other_settings(&database, serve).await;
}

#[test]
fn an_empty_list_of_trusted_proxies_is_none() {
    let database = migrated();
    std::fs::write(database.folder().join("s.toml"), "trusted-proxies = []").unwrap();
    Binary::on(&database, &["serve", "--config", "s.toml"]).serve();
    let serve = Binary::on(&database, &["serve"]);
    serve.env("TOKENWRIGHT_TRUSTED_PROXIES", "").serve();
}

#[test]
fn a_settings_file_that_cannot_be_used_ends_with_2() {
    for (text, told) in [
        ("lisen = \"127.0.0.1:0\"", "`lisen`"),
        ("LISTEN = \"127.0.0.1:0\"", "`LISTEN`"),
        ("config = \"other.toml\"", "`config`"),
        ("help = true", "`help`"),
        ("name = \"ops\"", "`name`"),
        ("listen = ", "settings.toml"),
        ("[http]\nlisten = \"127.0.0.1:0\"", "`http`"),
        ("listen = 2026-01-01", "`listen`"),
        ("trusted-proxies = [[\"10.0.0.1\"], {}]", "`trusted-proxies`"),
        ("listen = \"nonsense\"", "--listen"),
        ("bcrypt-cost = 99", "--bcrypt-cost"),
        ("introspection = true", "--introspection"),
    ] {
        assert_ended(&with_file(&["serve"], text), 2, told);
    }
    let missing = leaving_no_file(&["serve", "--config", "nowhere.toml"]);
    assert_ended(&missing, 2, "nowhere.toml");
}

#[test]
fn a_settings_file_that_cannot_be_read_is_not_repeated() {
    let url = format!("database-url = \"postgres://someone:{HIDDEN}@localhost/db");
    for text in [url.clone(), format!("{url}\" nonsense")] {
        let ended = with_file(&["serve"], &text);
        assert_ended(&ended, 2, "settings.toml");
        assert!(!ended.stderr.contains(HIDDEN), "{}", ended.stderr);
    }
}

#[test]
fn an_unknown_variable_of_ours_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let with = |name| Binary::new(folder.path(), &["schema"]).env(name, "x").run();
    assert_ended(&with("TOKENWRIGHT_LISEN"), 2, "TOKENWRIGHT_LISEN");
    assert_ended(&with("TOKENWRIGHT_"), 2, "TOKENWRIGHT_");
    assert_ended(&with("TOKENWRIGHT_PORTS"), 2, "TOKENWRIGHT_PORTS");
    assert_ended(&with("TOKENWRIGHTS"), 0, "");
}

#[test]
fn the_variables_of_kubernetes_are_let_pass() {
    let folder = tempfile::tempdir().unwrap();
    let ended = Binary::new(folder.path(), &["schema"])
        .env("TOKENWRIGHT_PORT", "tcp://10.0.0.1:8080")
        .env("TOKENWRIGHT_PORT_8080_TCP_ADDR", "10.0.0.1")
        .env("TOKENWRIGHT_SERVICE_HOST", "10.0.0.1")
        .env("TOKENWRIGHT_SERVICE_PORT_HTTP", "8080")
        .run();
    assert_ended(&ended, 0, "");
}

#[test]
fn an_empty_variable_names_no_settings_file() {
    let folder = tempfile::tempdir().unwrap();
    let schema = Binary::new(folder.path(), &["schema"]).env("TOKENWRIGHT_CONFIG", "");
    assert_ended(&schema.run(), 0, "");
}

#[test]
fn a_wrong_database_url_ends_with_2_and_is_not_repeated() {
    for url in [
        "mysql://someone:hidden-word@localhost/db",
        "postgresq://someone:hidden-word@localhost/db",
        "someone:hidden-word@localhost/db",
        "hidden-word.db",
        "postgres://someone:hidden-word@localhost:port/db",
        "postgres://someone:hidden-word@localhost/db?nonsense=1",
        "sqlite:",
        "sqlite::memory:",
        "",
    ] {
        for command in on_a_database() {
            let ended = leaving_no_file(&[&command[..], &["--database-url", url]].concat());
            assert_eq!(ended.code, Some(2), "{command:?} {url}: {}", ended.stderr);
            assert!(!ended.stderr.contains(HIDDEN), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_postgresql_out_of_reach_ends_with_1_and_the_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("postgres://someone:{HIDDEN}@{address}/db");
    for command in on_a_database() {
        let ended = leaving_no_file(&[&command[..], &["--database-url", &url]].concat());
        assert_ended(&ended, 1, "Connection refused");
        assert!(!ended.stderr.contains(HIDDEN), "{}", ended.stderr);
    }
}

#[test]
fn serve_and_admin_need_a_migrated_database_and_make_none() {
    for command in [&["serve"][..], &CREATE_TOKEN] {
        let missing = leaving_no_file(&[command, &["--database-url", "sqlite:t.db"]].concat());
        assert_ended(&missing, 1, "tokenwright migrate");
        let default = leaving_no_file(command);
        assert_ended(&default, 1, "tokenwright migrate");

        let empty = TestDatabase::new();
        empty.execute("CREATE TABLE gone (id INTEGER); DROP TABLE gone");
        let unmigrated = Binary::on(&empty, command).run();
        assert_ended(&unmigrated, 1, "tokenwright migrate");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_migrates_where_it_is_told_to() {
    let database = TestDatabase::new();
    for _ in 0..2 {
        let server = Binary::on(&database, &["serve", "--migrate"]).serve();
        assert_eq!(server.get("/readyz").await.status, 200);
        assert_ended(&server.stop(), 0, "");
    }
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let database = migrated();
    database.execute(
        "INSERT INTO __diesel_schema_migrations (version, run_on) \
         VALUES ('99991231000000', CURRENT_TIMESTAMP)",
    );
    for command in on_a_database() {
        let ended = Binary::on(&database, &command).run();
        assert_ended(&ended, 1, "newer version of tokenwright");
        assert_ended(&ended, 1, "99991231000000");
    }
    let ended = Binary::on(&database, &["serve", "--migrate"]).run();
    assert_ended(&ended, 1, "newer version of tokenwright");
}

#[test]
fn an_address_that_is_taken_ends_with_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let serve = Binary::on(&migrated(), &["serve", "--listen", &address]).run();
    assert_ended(&serve, 1, &format!("cannot listen on {address}"));
}

#[test]
fn migrating_twice_does_nothing_more() {
    let database = migrated();
    let again = Binary::on(&database, &["migrate"]).run();
    assert_ended(&again, 0, "up to date");
    assert_eq!(again.stdout, "");
}

#[test]
fn six_may_migrate_at_once() {
    let database = TestDatabase::new();
    let started: Vec<_> = (0..6).map(|_| Binary::on(&database, &["migrate"]).start()).collect();
    let applied: usize = started
        .into_iter()
        .map(|running| running.wait())
        .inspect(|ended| assert_ended(ended, 0, ""))
        .filter(|ended| ended.stderr.contains("applied"))
        .count();
    assert_eq!(applied, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_makes_a_token_that_a_running_server_knows() {
    let database = migrated();
    let server = Binary::on(&database, &["serve"]).serve();
    let made = Binary::on(&database, &CREATE_TOKEN).run();
    assert_ended(&made, 0, "tok_");
    let secret = made.stdout.strip_suffix('\n').unwrap();
    assert_eq!((secret.len(), secret.get(..4)), (76, Some("twr_")));
    assert!(!made.stderr.contains(secret));

    let query = "{ currentApiToken { name createdUserInfo { userName } permissions } }";
    let answer = server.graphql(secret, query, json!({})).await;
    let token = &answer.data()["currentApiToken"];
    assert_eq!(token["name"], "operator");
    assert_eq!(token["createdUserInfo"]["userName"], "system");
    assert_eq!(token["permissions"].as_array().unwrap().len(), 64);
    let actors = database.texts("SELECT actor_user_name AS text FROM audit_events");
    assert_eq!(actors, ["system"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_gives_no_more_than_it_is_told_to() {
    let database = migrated();
    let server = Binary::on(&database, &["serve"]).serve();
    let narrow = |address: &'static str| {
        let arguments = ["admin", "create-token", "--expires-in", "1h", "--name", address];
        let permissions = ["--permission", "api.users.read", "--permission", "api.tasks.read"];
        let made = Binary::on(&database, &arguments)
            .args(&permissions)
            .args(&["--allowed-address", address])
            .run();
        assert_ended(&made, 0, "");
        made.stdout.trim_end().to_owned()
    };
    let query = "{ currentApiToken { permissions allowedAddresses } }";
    let here = server.graphql(&narrow("127.0.0.0/8"), query, json!({})).await;
    let expected = json!({
        "permissions": ["API_USERS_READ", "API_TASKS_READ"], "allowedAddresses": ["127.0.0.0/8"],
    });
    assert_eq!(here.data()["currentApiToken"], expected);
    let elsewhere = server.graphql(&narrow("192.0.2.1"), query, json!({})).await;
    assert_eq!(elsewhere.status, 403);
}

#[test]
fn admin_lists_every_fault() {
    let database = migrated();
    let arguments = ["admin", "create-token", "--name", " ", "--expires-in", "9000d"];
    let ended = Binary::on(&database, &arguments)
        .args(&["--permission", "api.nonsense.read", "--permission", "nonsense"])
        .args(&["--allowed-address", "10.0.0.1/8"])
        .run();
    assert_ended(&ended, 1, "name: ");
    assert_ended(&ended, 1, "expiry: ");
    assert_ended(&ended, 1, "allowedAddresses[0]: `10.0.0.1/8`");
    for told in [
        "permissions[0]: There is no permission `api.nonsense.read` on this server.",
        "permissions[1]: There is no permission `nonsense` on this server.",
    ] {
        assert_ended(&ended, 1, told);
    }
    assert_eq!(ended.stdout, "");
    assert_eq!(database.count("api_tokens"), 0);

    administrator(&database, "operator");
    let taken = Binary::on(&database, &CREATE_TOKEN).run();
    assert_ended(&taken, 1, "name: ");
}

#[test]
fn admin_is_told_either_all_permissions_or_which() {
    let database = migrated();
    let arguments = ["admin", "create-token", "--name", "a", "--expires-in", "1h"];
    let with = |more: &[&str]| Binary::on(&database, &arguments).args(more).run();
    assert_ended(&with(&[]), 2, "--all-permissions");
    let both = with(&["--all-permissions", "--permission", "api.users.read"]);
    assert_ended(&both, 2, "--all-permissions");
    assert_eq!(database.count("api_tokens"), 0);
}

#[test]
fn schema_prints_the_file_that_is_committed() {
    let printed = leaving_no_file(&["schema"]);
    assert_ended(&printed, 0, "");
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    assert!(printed.stdout == std::fs::read_to_string(committed).unwrap());
}

#[test]
fn healthcheck_tells_whether_a_server_is_ready() {
    let database = migrated();
    let server = Binary::on(&database, &["serve"]).serve();
    let check = |address: &str| {
        let arguments = ["healthcheck", "--listen", address];
        Binary::new(database.folder(), &arguments).run()
    };
    assert_ended(&check(&server.address.to_string()), 0, "");
    let everywhere = format!("0.0.0.0:{}", server.address.port());
    assert_ended(&check(&everywhere), 0, "");
    database.execute("DROP TABLE audit_events; DROP TABLE api_tokens; DROP TABLE users");
    assert_ended(&check(&server.address.to_string()), 1, "503");
    let address = server.address.to_string();
    assert_ended(&server.stop(), 0, "");
    assert_ended(&check(&address), 1, "refused");
}

/// Sends a request but for its last bytes, which are handed back, once the server has begun with it.
fn begun(server: &Server, token: &str) -> (TcpStream, String) {
    let body = json!({ "query": "{ currentApiToken { name } }" }).to_string();
    let (first, last) = body.split_at(body.len() / 2);
    let mut stream = server.connect();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\
         Expect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut begun = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(first.as_bytes()).unwrap();
    (stream, last.to_owned())
}

#[test]
fn a_request_in_flight_is_finished_after_a_signal() {
    let database = migrated();
    let token = administrator(&database, "caller");
    for signal in ["TERM", "INT"] {
        let server = Binary::on(&database, &["serve"]).serve();
        let (mut stream, last) = begun(&server, &token);
        server.running.signal(signal);
        server.running.until(|said| said.err().contains("shutting down"));
        stream.write_all(last.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{signal}: {answer}");
        assert!(answer.contains(r#"{"name":"caller"}"#), "{signal}: {answer}");
        assert_ended(&server.running.wait(), 0, "");
    }
}

#[test]
fn a_signal_right_after_the_start_ends_it_in_order() {
    let database = migrated();
    // More than once, because a signal that comes too early is met by luck alone.
    for _ in 0..10 {
        let server = Binary::on(&database, &["serve"]).serve();
        assert_ended(&server.stop(), 0, "shutting down");
    }
}

#[test]
fn a_request_that_never_ends_is_cut_off_at_the_shutdown_timeout() {
    let database = migrated();
    let token = administrator(&database, "caller");
    let timeouts = ["--shutdown-timeout", "1s", "--request-timeout", "1h"];
    let server = Binary::on(&database, &["serve"]).args(&timeouts).serve();
    let (mut stream, _) = begun(&server, &token);
    server.running.signal("TERM");
    // Far more than the second, and less than any other limit.
    let ended = server.running.wait_at_most(Duration::from_secs(20));
    assert_ended(&ended, 0, "shutting down");
    let mut answer = Vec::new();
    let _reset_or_closed = stream.read_to_end(&mut answer);
    assert_eq!(answer, b"");
}

/// Runs the line that `dev` prints.
fn pasted(greeting: &str) -> serde_json::Value {
    let mut lines = greeting.lines();
    let line = lines.find(|line| line.starts_with("curl ")).unwrap();
    let curl = Command::new("sh").args(["-c", line]).output().unwrap();
    serde_json::from_slice(&curl.stdout).unwrap()
}

#[test]
fn the_line_of_dev_works_with_every_setting() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.toml"), DEPRECATED_FIRST).unwrap();
    let settings = ["--max-lifetime", "6h", "--permissions", "p.toml"];
    let dev = Binary::new(folder.path(), &["dev"]).args(&settings).serve();
    let greeting = dev.running.until(|said| said.out().contains("curl "));
    let answer = pasted(&greeting.out());
    let made = &answer["data"]["createApiToken"]["apiToken"];
    assert_eq!(made["permissions"], json!(["SHOP_ORDERS_READ"]), "{answer}");
}

#[test]
fn dev_greets_once_with_a_line_that_works_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let first = Binary::new(folder.path(), &["dev"]).serve();
    let playground = format!("in the playground: http://{}/\n", first.running.listening());
    let greeting = first.running.until(|said| said.out().contains(&playground)).out();
    let answer = pasted(&greeting);
    let made = &answer["data"]["createApiToken"];
    assert_eq!(made["apiToken"]["name"], "my first token", "{answer}");
    assert_eq!(made["token"].as_str().unwrap().len(), 76);
    assert!(files(folder.path()).contains(&"tokenwright.db".to_owned()));
    assert_ended(&first.stop(), 0, "");

    let second = Binary::new(folder.path(), &["dev"]).serve().stop();
    assert_eq!(second.stdout, "");
    assert_ended(&second, 0, "admin create-token");
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_shows_the_playground_and_the_schema_and_serve_does_not() {
    let query = "/graphql?query=%7B__schema%7BqueryType%7Bname%7D%7D%7D";
    for (command, page, schema) in [("dev", 200, 200), ("serve", 404, 401)] {
        let server = Binary::on(&migrated(), &[command]).serve();
        assert_eq!(server.get("/").await.status, page, "{command}");
        assert_eq!(server.get(query).await.status, schema, "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill() {
    let database = migrated();
    let admin = administrator(&database, "caller");
    let server = Binary::on(&database, &["serve"]).serve();
    let query = "mutation ($expiry: DateTime!) { createApiToken(input: { name: \"kept\", \
                 expiry: $expiry, permissions: [API_USERS_READ] }) { token } }";
    let expiry =
        (SystemClock.now() + TimeDelta::days(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let made = server.graphql(&admin, query, json!({ "expiry": expiry })).await;
    server.running.signal("KILL");
    server.running.wait();
    let secret = made.data()["createApiToken"]["token"].as_str().unwrap();
    let again = Binary::on(&database, &["serve"]).serve();
    let answer = again.graphql(secret, "{ currentUser { name } }", json!({})).await;
    assert_eq!(answer.data()["currentUser"]["name"], "kept");
}
