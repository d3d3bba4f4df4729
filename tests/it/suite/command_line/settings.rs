//! Flags, environment variables and the settings file.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{CREATE_TOKEN, HIDDEN, commands, flags, leaving_no_file};
use crate::support::{Binary, Ended, TestDatabase, assert_ended, eventually, files, migrated};

/// The names of all settings, as they stand in a file, but for those that have tests of their own:
/// the URL in a file, and TLS, which the client of these tests does not speak.
fn settings() -> Vec<String> {
    let (_, serve) = commands().into_iter().find(|(path, _)| path == &["serve"]).unwrap();
    let mut names: Vec<String> = flags(&serve)
        .filter_map(|arg| arg.get_long())
        .filter(|long| {
            !["config", "database-url-file", "tls-certificate", "tls-key"].contains(long)
        })
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
        ("audit-log", text("audit.jsonl")),
        ("audit-retention", text("400d")),
        ("authorize-needs-permission", "false".to_owned()),
        ("bcrypt-cost", "5".to_owned()),
        ("database-connections", "2".to_owned()),
        ("database-idle-transaction-timeout", text("3s")),
        ("database-statement-timeout", text("3s")),
        ("database-url", text(&database.url_text())),
        ("database-wait", text("1s")),
        ("disk-reserve-mib", "0".to_owned()),
        ("expiry-notices", "[\"2h\", \"0s\"]".to_owned()),
        ("ext-authz-listen", text("127.0.0.1:0")),
        ("forwarded-header", text("forwarded")),
        ("introspection", text("off")),
        ("lifetime-within-maker", "true".to_owned()),
        ("listen", text("127.0.0.1:0")),
        ("log", text("info,tokenwright=debug")),
        ("log-format", text("json")),
        ("max-changes-per-minute", "9".to_owned()),
        ("max-connections", "100".to_owned()),
        ("max-connections-per-address", "10".to_owned()),
        ("max-failed-proofs", "9".to_owned()),
        ("max-failed-proofs-per-address", "8".to_owned()),
        ("max-lifetime", text("30d")),
        ("max-sockets", "9".to_owned()),
        ("max-sockets-per-token", "9".to_owned()),
        ("max-subscriptions-per-socket", "9".to_owned()),
        ("max-tokens", "9".to_owned()),
        ("max-tokens-per-maker", "9".to_owned()),
        ("metrics-listen", text("127.0.0.1:0")),
        ("migrate", "true".to_owned()),
        ("otlp-endpoint", text("http://127.0.0.1:9")),
        ("otlp-sample-ratio", "0.0".to_owned()),
        ("permissions", text(bookshop)),
        ("playground", "true".to_owned()),
        ("public-url", text("https://tokens.example/a")),
        ("request-timeout", text("3s")),
        ("shutdown-delay", text("1ms")),
        ("shutdown-timeout", text("1s")),
        ("subscriptions", "true".to_owned()),
        ("trusted-proxies", "[\"10.0.0.0/8\", \"127.0.0.1\"]".to_owned()),
        ("workers", "2".to_owned()),
    ]
}

/// Starts `serve` and looks at what the other settings change.
async fn has_other_settings(database: &TestDatabase, serve: Binary) {
    let running = serve.start();
    let url = format!("http://{}", running.listening());
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200, "playground");
    let administrator = administrator_of_bookshop(database);
    let authorize = reqwest::Client::new().get(format!("{url}/authorize"));
    let authorized = authorize.bearer_auth(&administrator).send().await.unwrap();
    assert_eq!(authorized.status(), 200, "authorize-needs-permission");
    let ask = reqwest::Client::new()
        .post(format!("{url}/graphql"))
        .bearer_auth(administrator)
        .header("forwarded", "for=10.0.0.7, for=192.0.2.7")
        .header("origin", "http://localhost:3000")
        .json(&json!({ "query": "{ __schema { queryType { name } } }" }));
    let answer = ask.send().await.unwrap();
    assert!(answer.headers().contains_key("access-control-allow-origin"), "allowed origins");
    let trace = answer.headers().get("traceresponse").unwrap().to_str().unwrap();
    assert!(trace.ends_with("-00"), "otlp-sample-ratio: {trace}");
    let answer = answer.text().await.unwrap();
    assert!(answer.contains("FORBIDDEN"), "introspection: {answer}");
    let looked = "SELECT CAST(seconds AS TEXT) AS text FROM expiry_looks ORDER BY seconds";
    eventually("expiry-notices", || database.texts(looked) == ["0", "7200"]).await;
    running.signal("TERM");
    let ended = running.wait();
    assert_ended(&ended, 0, "listening for Prometheus on");
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
fn a_sibling_of_kubernetes_stops_no_start_and_hides_no_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let schema = || {
        Binary::new(folder.path(), &["schema"])
            .env("TOKENWRIGHT_POSTGRESQL_SERVICE_HOST", "10.0.0.1")
            .env("TOKENWRIGHT_POSTGRESQL_SERVICE_PORT", "5432")
            .env("TOKENWRIGHT_POSTGRESQL_SERVICE_PORT_TCP_POSTGRESQL", "5432")
            .env("TOKENWRIGHT_POSTGRESQL_PORT", "tcp://10.0.0.1:5432")
            .env("TOKENWRIGHT_POSTGRESQL_PORT_5432_TCP", "tcp://10.0.0.1:5432")
            .env("TOKENWRIGHT_POSTGRESQL_PORT_5432_TCP_ADDR", "10.0.0.1")
            .env("TOKENWRIGHT_POSTGRESQL_PORT_5432_TCP_PORT", "5432")
            .env("TOKENWRIGHT_POSTGRESQL_PORT_5432_TCP_PROTO", "tcp")
    };
    assert_ended(&schema().run(), 0, "");
    let mistaken = schema().env("TOKENWRIGHT_LISTEN_PORT", "8080").run();
    assert_ended(&mistaken, 2, "TOKENWRIGHT_LISTEN_PORT");
    let mistaken = schema().env("TOKENWRIGHT_LISEN", "x").run();
    assert_ended(&mistaken, 2, "did you mean `TOKENWRIGHT_LISTEN`?");
}

/// `serve` with a setting from each of the three sources in turn.
fn from_each_source(database: &TestDatabase, name: &str, value: &str, look: &dyn Fn(&str, Binary)) {
    let flag = format!("--{name}={value}");
    look("flag", Binary::on(database, &["serve", &flag]));
    let variable = format!("TOKENWRIGHT_{}", name.to_uppercase().replace('-', "_"));
    look("variable", Binary::on(database, &["serve"]).env(&variable, value));
    let file = database.folder().join("s.toml");
    std::fs::write(&file, format!("{name} = {}", json!(value))).unwrap();
    let file = file.to_str().unwrap().to_owned();
    look("file", Binary::on(database, &["serve", "--config", &file]));
}

#[test]
fn a_setting_is_understood_as_people_write_it() {
    let database = migrated();
    for (name, value) in [
        ("playground", "1"),
        ("playground", "YES"),
        ("migrate", "on"),
        ("migrate", "False"),
        ("workers", " 2 \n"),
        ("request-timeout", "3s\r\n"),
        ("introspection", "OFF"),
        ("forwarded-header", "X-Forwarded-For"),
        ("trusted-proxies", "10.0.0.0/8, ::1,\n"),
        ("allowed-origins", "https://app.example,"),
        ("log", "Warning,info"),
        ("max-lifetime", "2y"),
        ("expiry-notices", "OFF"),
        ("expiry-notices", "90d, 1h, 0s,"),
    ] {
        from_each_source(&database, name, value, &|source, serve| {
            let ended = serve.serve().stop();
            assert_ended(&ended, 0, "");
            assert!(ended.stderr.contains("listening"), "{source} {name}={value}");
        });
    }
}

#[test]
fn a_setting_that_is_not_understood_says_where_it_is_and_what_to_write() {
    let database = migrated();
    for (name, value, told) in [
        ("listen", "8080", "127.0.0.1:8080"),
        ("listen", "example.com:8080", "not looked up"),
        ("playground", "maybe", "`true` or `false`"),
        ("workers", "2\n3", "in one line"),
        ("workers", "0", "1..=1024"),
        ("request-timeout", "10", "`2s`"),
        ("introspection", "all", "authenticated"),
        ("trusted-proxies", "10.0.0.0/8,,::1", "two commas"),
        ("expiry-notices", "7d,,1d", "two commas"),
        ("expiry-notices", "7d,1mo", "`1mo` years and months differ in length; write days"),
        ("expiry-notices", "7d,30s", "`30s` must be 1m or longer"),
        ("expiry-notices", "1d,24h", "`1 day` is there twice"),
        ("expiry-notices", "7", "write it like `90d`"),
        ("log", "verbose", "write one of off, error, warn, info, debug, trace"),
        ("log", "tokenwrigth=debug", "did you mean `tokenwright`?"),
    ] {
        from_each_source(&database, name, value, &|source, serve| {
            let ended = serve.run();
            assert_ended(&ended, 2, told);
            let place = match source {
                "flag" => format!("--{name}"),
                "variable" => format!("TOKENWRIGHT_{}", name.to_uppercase().replace('-', "_")),
                _ => "s.toml".to_owned(),
            };
            assert_ended(&ended, 2, &place);
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn localhost_is_the_loopback_address() {
    let database = migrated();
    let serve = Binary::on(&database, &["serve"]).env("TOKENWRIGHT_LISTEN", "localhost:0").start();
    assert!(serve.listening().starts_with("127.0.0.1:"));
}

#[test]
fn an_empty_variable_is_not_set() {
    let names = settings();
    let database = migrated();
    let empty = names.iter().chain([&"database-url-file".to_owned()]).fold(
        Binary::on(&database, &["serve"]),
        |serve, name| {
            let variable = format!("TOKENWRIGHT_{}", name.to_uppercase().replace('-', "_"));
            serve.env(&variable, if name.len() % 2 == 0 { "" } else { " \n" })
        },
    );
    assert_ended(&empty.serve().stop(), 0, "INFO");
    let flag = Binary::on(&database, &["serve", "--workers", ""]).run();
    assert_ended(&flag, 2, "--workers is empty");
}

#[test]
fn a_secret_setting_can_stand_in_a_file_of_its_own() {
    let database = migrated();
    let path = database.folder().join("url");
    std::fs::write(&path, format!("{}\n", database.url_text())).unwrap();
    let file = path.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let migrate =
        |arguments: &[&str]| Binary::new(folder.path(), &[&["migrate"], arguments].concat());
    let by_file = ["--database-url-file", file];
    assert_ended(&migrate(&by_file).run(), 0, "up to date");
    let variable = || migrate(&[]).env("TOKENWRIGHT_DATABASE_URL_FILE", file);
    assert_ended(&variable().run(), 0, "up to date");
    std::fs::write(folder.path().join("s.toml"), format!("database-url-file = '{file}'")).unwrap();
    assert_ended(&migrate(&["--config", "s.toml"]).run(), 0, "up to date");
    // The order of precedence is that of the sources.
    let lower = migrate(&by_file).env("TOKENWRIGHT_DATABASE_URL", "sqlite:other.db").run();
    assert_ended(&lower, 0, "up to date");
    assert_eq!(files(folder.path()), ["s.toml"]);

    let both = migrate(&[&by_file[..], &["--database-url", "sqlite:other.db"]].concat()).run();
    assert_ended(&both, 2, "both given");
    let both = variable().env("TOKENWRIGHT_DATABASE_URL", "sqlite:other.db").run();
    assert_ended(&both, 2, "TOKENWRIGHT_DATABASE_URL");
    let missing = migrate(&["--database-url-file", "nowhere"]).run();
    assert_ended(&missing, 2, "nowhere, which cannot be read");
    for (content, told) in [(" \n", "is empty"), (&*format!("a\n{HIDDEN}\n"), "in one line")] {
        std::fs::write(folder.path().join("secret"), content).unwrap();
        let ended = migrate(&["--database-url-file", "secret"]).run();
        assert_ended(&ended, 2, told);
        assert!(!ended.stderr.contains(HIDDEN), "{}", ended.stderr);
    }
}

#[test]
fn settings_that_weaken_the_server_are_warned_of() {
    let database = migrated();
    for (proxies, warns) in [
        ("0.0.0.0/0", true),
        ("10.0.0.0/8,::/0", true),
        ("0.0.0.0/1,128.0.0.0/1", true),
        ("10.0.0.0/8,::1", false),
    ] {
        let serve = Binary::on(&database, &["serve", "--trusted-proxies", proxies]);
        let ended = serve.serve().stop();
        assert_eq!(ended.stderr.contains("claim any address"), warns, "{proxies}");
    }
    let file = database.folder().join("s.toml");
    let url = "postgres://u:p@127.0.0.1:1/n";
    for (mode, text, warns) in [
        (0o644, format!("database-url = '{url}'"), true),
        (0o640, format!("database-url = '{url}'"), false),
        (0o644, "log = 'info'".to_owned(), false),
    ] {
        std::fs::write(&file, &text).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        let ended = Binary::on(&database, &["migrate", "--config", file.to_str().unwrap()]).run();
        assert_eq!(ended.stderr.contains("holds a password"), warns, "{mode:o} {text}");
    }
}
