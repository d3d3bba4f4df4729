//! How servers start and end, and `healthcheck`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use serde_json::json;
use tokenwright::domain::clock::{Clock, SystemClock};

use crate::support::{Binary, Server, administrator, assert_ended, migrated};

#[test]
fn an_address_that_is_taken_ends_with_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let serve = Binary::on(&migrated(), &["serve", "--listen", &address]).run();
    assert_ended(&serve, 1, &format!("cannot listen on {address}"));
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
    database.execute(
        "DROP TABLE audit_events; DROP TABLE api_token_labels; DROP TABLE expiry_notices; \
         DROP TABLE api_tokens; DROP TABLE policy; DROP TABLE users",
    );
    assert_ended(&check(&server.address.to_string()), 1, "503");
    let address = server.address.to_string();
    assert_ended(&server.stop(), 0, "");
    assert_ended(&check(&address), 1, "refused");
}

/// Sends a request but for its last bytes, which are handed back, once the server has begun with
/// it.
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

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_changes_nothing() {
    let database = migrated();
    let server = Binary::on(&database, &["serve"]).serve();
    for _ in 0..3 {
        server.running.signal("HUP");
    }
    server.running.until(|said| said.err().contains("SIGHUP is ignored"));
    assert_eq!(server.get("/readyz").await.status, 200);
    assert_ended(&server.stop(), 0, "shutting down");
}

/// What a command that logs a warning writes to a terminal, with these variables.
fn on_a_terminal(variables: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.toml");
    std::fs::write(&file, "database-url = 'postgres://u:p@localhost/n'").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let command = format!("{} schema --config s.toml", env!("CARGO_BIN_EXE_tokenwright"));
    let terminal = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(folder.path())
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output();
    String::from_utf8(terminal.unwrap().stdout).unwrap()
}

#[test]
fn the_log_has_colours_where_they_are_wanted_only() {
    let xterm = ("TERM", "xterm");
    let coloured = on_a_terminal(&[xterm]);
    assert!(coloured.contains("holds a password") && coloured.contains("\u{1b}["));
    let dumb = ("TERM", "dumb");
    for variables in [&[xterm, ("NO_COLOR", "1")][..], &[dumb], &[xterm, ("CLICOLOR", "0")], &[]] {
        let plain = on_a_terminal(variables);
        assert!(plain.contains("holds a password"), "{variables:?}");
        assert!(!plain.contains('\u{1b}'), "{variables:?}");
    }
    let piped = Binary::on(&migrated(), &["serve"]).env("CLICOLOR_FORCE", "1").serve().stop();
    assert!(!piped.stderr.contains('\u{1b}'), "{}", piped.stderr);
}

#[test]
fn the_log_of_a_start_speaks_of_this_program_only() {
    let ended = Binary::on(&migrated(), &["serve"]).serve().stop();
    assert!(!ended.stderr.contains("actix"), "{}", ended.stderr);
    assert_ended(&ended, 0, "shutting down");
}
