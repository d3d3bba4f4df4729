//! `admin create-token`.

use std::process::{Command, Output, Stdio};

use chrono::{DateTime, Months, TimeDelta, Utc};
use serde_json::json;
use tokenwright::domain::clock::{Clock, SystemClock};

use super::CREATE_TOKEN;
use crate::support::{Binary, TestDatabase, administrator, assert_ended, migrated};

const ONE: [&str; 4] = ["admin", "create-token", "--permission", "api.tasks.read"];

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
    assert_eq!(token["permissions"].as_array().unwrap().len(), 65);
    let actors = database.texts("SELECT actor_user_name AS text FROM audit_events");
    assert_eq!(actors, ["system"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_gives_no_more_than_it_is_told_to() {
    let database = migrated();
    let server = Binary::on(&database, &["serve"]).serve();
    let narrow = |address: &'static str| {
        let arguments = ["admin", "create-token", "--expires-in", "1h", "--name", address];
        let purpose = ["--description", "for a test", "--label", "tenant=a=b", "env="];
        let permissions = ["--permission", "api.users.read", "--permission", "api.tasks.read"];
        let made = Binary::on(&database, &arguments)
            .args(&permissions)
            .args(&["--allowed-address", address])
            .args(&purpose)
            .run();
        assert_ended(&made, 0, "");
        made.stdout.trim_end().to_owned()
    };
    let query = "{ currentApiToken { permissions allowedAddresses description
        labels { key value } } }";
    let here = server.graphql(&narrow("127.0.0.0/8"), query, json!({})).await;
    let expected = json!({
        "permissions": ["API_USERS_READ", "API_TASKS_READ"], "allowedAddresses": ["127.0.0.0/8"],
        "description": "for a test",
        "labels": [{ "key": "env", "value": "" }, { "key": "tenant", "value": "a=b" }],
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
        .args(&["--description", "a\u{7}", "--label", "Tenant=acme"])
        .run();
    assert_ended(&ended, 1, "--description: ");
    assert_ended(&ended, 1, "--label: `Tenant` is not the key of a label");
    assert_ended(&ended, 1, "--name: ");
    assert_ended(&ended, 1, "--expires-in: ");
    assert_ended(&ended, 1, "--allowed-address: `10.0.0.1/8`");
    for told in [
        "--permission: There is no permission `api.nonsense.read` on this server.",
        "--permission: There is no permission `nonsense` on this server.",
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
fn admin_names_the_narrow_grant_before_the_wide_one() {
    let arguments = ["admin", "create-token", "--name", "a", "--expires-in", "1h"];
    let ended = Binary::on(&TestDatabase::new(), &arguments).run();
    assert_ended(&ended, 2, "--permission <CODE>");
    let narrow = ended.stderr.find("--permission ").unwrap();
    assert!(narrow < ended.stderr.find("--all-permissions").unwrap(), "{}", ended.stderr);
}

/// The instant that the message ends with.
fn expiry(said: &str) -> DateTime<Utc> {
    let (_, rest) = said.split_once("which expires ").unwrap_or_else(|| panic!("{said}"));
    rest.split(';').next().unwrap().parse().unwrap()
}

#[test]
fn admin_says_until_when_the_token_lives() {
    let database = migrated();
    for (lifetime, expected) in [
        ("6m", SystemClock.now() + TimeDelta::minutes(6)),
        ("6mo", SystemClock.now() + Months::new(6)),
        ("2y", SystemClock.now() + Months::new(24)),
        ("1y2w", SystemClock.now() + Months::new(12) + TimeDelta::days(14)),
    ] {
        let made = Binary::on(&database, &ONE).args(&["--name", lifetime]);
        let made = made.args(&["--expires-in", lifetime]).run();
        assert_ended(&made, 0, &format!("`{lifetime}`"));
        let difference = expiry(&made.stderr) - expected;
        assert!(difference.abs() < TimeDelta::minutes(2), "{lifetime}: {}", made.stderr);
    }
    for (lifetime, told) in [("6M", "`mo` for months"), ("90", "`90d`"), ("0d", "longer than 0s")] {
        let made =
            Binary::on(&database, &ONE).args(&["--name", "a", "--expires-in", lifetime]).run();
        assert_ended(&made, 2, told);
    }
    let longer = Binary::on(&database, &ONE).args(&["--name", "a", "--expires-in", "2y1d"]).run();
    assert_ended(&longer, 1, "more than 2 years away");
}

#[test]
fn admin_understands_the_name_that_a_permission_has_in_graphql() {
    let database = migrated();
    let arguments = ["admin", "create-token", "--name", "a", "--expires-in", "1h"];
    let made = Binary::on(&database, &arguments)
        .args(&["--permission", "API_TASKS_READ", "api.users.read"])
        .run();
    assert_ended(&made, 0, "");
    let stored = database.texts("SELECT CAST(permissions AS TEXT) AS text FROM api_tokens");
    assert!(stored[0].contains("api.tasks.read") && stored[0].contains("api.users.read"));
    let unknown = Binary::on(&database, &arguments).args(&["--permission", "API_TASKS_REED"]).run();
    assert_ended(&unknown, 1, "no permission `API_TASKS_REED`");
}

/// The program through a shell, with its standard output led elsewhere.
fn redirected(database: &TestDatabase, arguments: &[&str], redirection: &str) -> Output {
    let url = database.url_text();
    let script = format!("exec \"$0\" \"$@\" {redirection}");
    Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_tokenwright")])
        .args(arguments)
        .args(["--database-url", &url])
        .stdin(Stdio::null())
        .current_dir(database.folder())
        .env_clear()
        .output()
        .unwrap()
}

#[test]
fn a_token_whose_secret_reaches_nobody_is_taken_back() {
    for command in [&CREATE_TOKEN[..], &["dev", "--listen", "127.0.0.1:0"]] {
        for (redirection, told) in
            [(">/dev/full", "is lost"), (">&-", "would be lost"), (">/dev/null", "would be lost")]
        {
            let database = migrated();
            let ended = redirected(&database, command, redirection);
            let said = String::from_utf8(ended.stderr).unwrap();
            assert_eq!(ended.status.code(), Some(1), "{redirection}: {said}");
            assert!(said.contains(told) && !said.contains("twr_"), "{redirection}: {said}");
            let living = "SELECT name AS text FROM api_tokens WHERE deleted_date IS NULL";
            assert_eq!(database.texts(living), [""; 0], "{redirection}");
            // Its name is free again, and `dev` greets as on its first start.
            if command.first() == Some(&"dev") {
                let greeting = Binary::on(&database, &["dev"]).serve().stop().stdout;
                assert!(greeting.contains("twr_"), "{redirection}: {greeting}");
            } else {
                administrator(&database, "operator");
            }
        }
    }
}
